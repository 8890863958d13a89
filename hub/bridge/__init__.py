"""The hub's side towards devices: MQTT lanes, the TCP gateway for watches, and the way back down.

Commit, then acknowledge: the use cases come in as callables; nothing is acknowledged to a broker and nothing answered
to a device before they have returned. docs/architecture.md, "The path of one alarm".
"""

from __future__ import annotations

from hub.bridge.batches import Ingest, Quarantine
from hub.bridge.bridge import Bridge, BridgeState
from hub.bridge.client import LaneState
from hub.bridge.downlink import DeviceOutbox
from hub.bridge.intake import AcquireLead, Lead, SoleLead
from hub.bridge.options import BatchOptions, BridgeOptions, BrokerOptions, TcpOptions, bridge_options
from hub.bridge.tcp import IsKnown, TcpState

__all__ = [
    "AcquireLead",
    "BatchOptions",
    "Bridge",
    "BridgeOptions",
    "BridgeState",
    "BrokerOptions",
    "DeviceOutbox",
    "Ingest",
    "IsKnown",
    "LaneState",
    "Lead",
    "Quarantine",
    "SoleLead",
    "TcpOptions",
    "TcpState",
    "bridge_options",
]
