"""Planning a day. Pure: no I/O, no clock; whoever calls passes a clock and may stop at any time.

Nothing is gathered here: importing `search` or whatever needs it brings the compiler along, `day` does not.
"""

from __future__ import annotations

__all__: list[str] = []
