"""Planning a day. Pure: no I/O, no clock; whoever calls passes a clock and may stop at any time."""
