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
from hub.bridge.mixed import NoteSensors
from hub.bridge.options import BatchOptions, BridgeOptions, BrokerOptions, TcpOptions, bridge_options
from hub.bridge.path_probe import PathProbe
from hub.bridge.provisional import ProvisionalLine, begin_run
from hub.bridge.register import FindDevices, NoteConflict
from hub.bridge.shelter import Shelter, ShelterPlan, lone_shelter
from hub.bridge.tcp import TcpState

__all__ = [
    "AcquireLead",
    "BatchOptions",
    "Bridge",
    "BridgeOptions",
    "BridgeState",
    "BrokerOptions",
    "DeviceOutbox",
    "FindDevices",
    "Ingest",
    "LaneState",
    "Lead",
    "NoteConflict",
    "NoteSensors",
    "PathProbe",
    "ProvisionalLine",
    "Quarantine",
    "Shelter",
    "ShelterPlan",
    "SoleLead",
    "TcpOptions",
    "TcpState",
    "begin_run",
    "bridge_options",
    "lone_shelter",
]
