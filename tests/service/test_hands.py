"""Several telemetry transactions at a time on a real PostgreSQL: the same keys and devices in neighbouring batches."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry

from devices import Uplink
from hub.bridge import BatchOptions
from hub.bridge.batches import Batcher, Parcel
from hub.bridge.metrics import BridgeMetrics
from hub.ports import Incoming, Outcome
from tests.service.conftest import World
from tests.waiting import wait_until

DEVICES = ("W1", "W2", "X-unknown")


@dataclass
class Source:
    done: list[tuple[int, str]] = field(default_factory=list)

    def settled(self, parcels: Sequence[Parcel], outcomes: Sequence[Outcome]) -> None:
        self.done += [(int(p.incoming().number), o.outcome) for p, o in zip(parcels, outcomes, strict=True)]


@dataclass
class Parcelled:
    source: Source
    uplink: Incoming
    received_at: datetime
    early: bool = True

    def incoming(self) -> Incoming:
        return self.uplink


def test_neighbouring_batches_with_the_same_keys_and_devices(world: World) -> None:
    chosen = random.Random(5)
    ingest, source = world.services.ingest, Source()
    bodies = [
        (chosen.choice(DEVICES), (world.now + timedelta(milliseconds=number)).isoformat()) for number in range(400)
    ]
    line: list[Parcelled] = []
    for number, (device, at) in enumerate(sorted(bodies * 3, key=lambda one: (one[1], chosen.random()))):
        body = json.dumps({"observed_at": at, "heart_rate_bpm": 70}).encode()
        uplink = Uplink(body, world.now, f"care/v1/{device}/up/vitals")
        line.append(Parcelled(source, Incoming(uplink, device, "care", "telemetry", number=number), world.now))
    batcher = Batcher(
        "telemetry",
        BatchOptions(size=7, hands=3),
        ingest=ingest.telemetry,
        quarantine=ingest.quarantine,
        metrics=BridgeMetrics(CollectorRegistry()),
        clock=lambda: world.now,
        ahead=ingest,
    )
    batcher.start()
    batcher.put(line)
    wait_until(lambda: len(source.done) == len(line), 60)
    assert batcher.stop(10)
    assert [number for number, _ in source.done] == list(range(len(line)))
    outcomes = [outcome for _, outcome in source.done]
    known = sum(device != "X-unknown" for device, _ in bodies)
    assert outcomes.count("accepted") == known
    assert outcomes.count("quarantined") == len(bodies) - known
    assert outcomes.count("repeat") == 2 * len(bodies)
    assert world.row("SELECT count(*) AS n FROM observations WHERE metric = 'heart_rate_bpm'")["n"] == known
    assert world.row("SELECT count(*) AS n FROM uplink_seen")["n"] == len(bodies)
