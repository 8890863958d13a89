"""Looking at what was kept aside, and having it taken again: by the ordinary path, once, with the time it came."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices import Codec, DeviceRef, Uplink
from devices.topics import parse_up
from hub.clock import Clock
from hub.errors import ConflictError, HubError, NotFoundError
from hub.ports import Actor, Database, DeviceRow, Incoming, OutboxRow, Outcome, Transaction
from hub.ports.quarantine import QuarantinedRow, QuarantineState
from hub.service.ingest import key_digest
from hub.service.raising import again_where_raced
from hub.service.writing import TOLD_FAMILIES

__all__ = ["QuarantineDesk", "Retake", "Retaken"]

Retake = Callable[[Transaction, Sequence[Incoming]], list[Outcome]]
"""The ordinary path of uplinks inside a transaction that is open already."""

_TELL_FOR = timedelta(hours=24)
_TAKEN = frozenset({"accepted", "repeat"})


@dataclass(frozen=True, slots=True)
class Retaken:
    """What became of a device's uplinks: how many were taken, which not and why, whether `more` wait."""

    taken: int
    refused: tuple[tuple[int, str], ...]
    more: bool


class QuarantineDesk:
    """Each call is one transaction. What was settled stays listed, with who settled it and when."""

    def __init__(self, database: Database, clock: Clock, codecs: Mapping[str, Codec], retake: Retake) -> None:
        self._database = database
        self._clock = clock
        self._codecs = codecs
        self._retake = retake

    def page(
        self,
        *,
        state: QuarantineState | None = "waiting",
        device_id: str | None = None,
        after: int = 0,
        limit: int = 100,
    ) -> list[QuarantinedRow]:
        """In the order of receipt; `state` None: settled ones too."""
        with self._database.begin() as tx:
            return tx.quarantine.page(state=state, device_id=device_id, after=after, limit=limit)

    def show(self, row_id: int) -> QuarantinedRow:
        """One, with its raw bytes. NotFoundError."""
        with self._database.begin() as tx:
            return _found(tx.quarantine.get(row_id), row_id)

    def replay(self, row_id: int, actor: Actor, address: str | None = None) -> QuarantinedRow:
        """Has it taken again as if it came now, with the time it did come; gives it settled.

        An alarm is raised now, and its device is told. What the device itself has sent again meanwhile is known by its
        key and counts as a repeat. ConflictError: it is settled already, or it cannot be taken still; it waits on then,
        with the reason.
        """
        try:
            return again_where_raced(lambda: self._replay(row_id, actor, address))
        except (ConflictError, NotFoundError) as error:
            if error.code in ("settled", "not-found"):
                raise
            self._note(row_id, error.detail)
            raise
        except HubError:
            raise  # the database is away: this says nothing of the uplink
        except Exception as error:
            words = f"{type(error).__name__}: {error}"
            self._note(row_id, words)
            raise ConflictError(f"it still cannot be taken: {words}", code="still-failing") from error

    def replay_of(self, device_id: str, actor: Actor, address: str | None = None, *, most: int = 500) -> Retaken:
        """Has what waits of a device taken again, the oldest first, each by itself, `most` of them.

        What cannot be taken waits on with its reason, and the rest goes on without it.
        """
        taken, refused = 0, []
        rows = self.page(device_id=device_id, limit=most + 1)
        for row in rows[:most]:
            try:
                self.replay(row.id, actor, address)
                taken += 1
            except (ConflictError, NotFoundError) as error:
                if error.code != "settled":  # somebody else was at it meanwhile
                    refused.append((row.id, error.detail))
        return Retaken(taken, tuple(refused), more=len(rows) > most)

    def discard(self, row_id: int, reason: str, actor: Actor, address: str | None = None) -> QuarantinedRow:
        """Lets it go, with the reason; it stays listed as discarded. ConflictError: it is settled already."""
        now = self._clock()
        with self._database.begin() as tx:
            row = _waiting(tx.quarantine.get(row_id, lock=True), row_id)
            tx.quarantine.settle(row_id, "discarded", actor, now, reason)
            detail = {"device_id": row.device_id, "received_at": row.received_at.isoformat(), "reason": reason}
            tx.audit.add(actor, "quarantine.discard", f"quarantine:{row_id}", detail, now, address)
            return _found(tx.quarantine.get(row_id), row_id)

    def _replay(self, row_id: int, actor: Actor, address: str | None) -> QuarantinedRow:
        now = self._clock()
        with self._database.begin() as tx:
            row = _waiting(tx.quarantine.get(row_id, lock=True), row_id)
            device_id = row.device_id or _named_by(row)
            device = tx.devices.get_many([device_id]).get(device_id)
            self._expect_welcome(row, device)
            incoming = Incoming(
                uplink=Uplink(row.payload, row.received_at, topic=row.topic or ""),
                device_id=device_id,
                family="care" if parse_up(row.topic or "") else row.family or (device.family if device else "care"),
                lane=row.lane,
            )
            if row.why in ("unadopted", "revoked") and device is not None:
                # Its key was claimed when it came, and nothing was stored under it.
                tx.quarantine.release_keys(self._keys(incoming, device))
            outcome = self._retake(tx, [incoming])[0]
            if outcome.outcome not in _TAKEN:
                raise ConflictError(f"it is {outcome.outcome}: {outcome.reason or ''}".rstrip(": "), code="not-taken")
            if incoming.family in TOLD_FAMILIES:
                tx.outbox.add(*_told(outcome, device_id, now))
            tx.quarantine.settle(row_id, "replayed", actor, now, outcome.outcome)
            detail = {
                "device_id": device_id,
                "received_at": row.received_at.isoformat(),
                "outcome": outcome.outcome,
                "alarms": outcome.alarms,
            }
            tx.audit.add(actor, "quarantine.replay", f"quarantine:{row_id}", detail, now, address)
            return _found(tx.quarantine.get(row_id), row_id)

    def _expect_welcome(self, row: QuarantinedRow, device: DeviceRow | None) -> None:
        if row.why == "unadopted" and (device is None or not device.adopted):
            raise ConflictError(f"device {row.device_id} is still not added: adopt it first", code="not-taken")
        if row.why == "revoked" and (device is None or device.revoked):
            raise ConflictError(f"device {row.device_id} is still revoked", code="not-taken")

    def _keys(self, incoming: Incoming, device: DeviceRow) -> Collection[bytes]:
        codec = self._codecs.get(incoming.family)
        if codec is None:
            return ()
        reference = DeviceRef(device_id=device.id, family=incoming.family, profile=device.profile)
        events = codec.decode(incoming.uplink, reference).events
        return {key_digest(incoming.family, event.key) for event in events if event.key is not None}

    def _note(self, row_id: int, words: str) -> None:
        with self._database.begin() as tx:
            tx.quarantine.failed(row_id, words)


def _found(row: QuarantinedRow | None, row_id: int) -> QuarantinedRow:
    if row is None:
        raise NotFoundError(f"there is no {row_id} in quarantine")
    return row


def _waiting(row: QuarantinedRow | None, row_id: int) -> QuarantinedRow:
    found = _found(row, row_id)
    if found.state != "waiting":
        at = found.settled_at.isoformat() if found.settled_at else "?"
        raise ConflictError(
            f"{row_id} was {found.state} already, by {found.settled_name or 'the command line'} at {at}", code="settled"
        )
    return found


def _named_by(row: QuarantinedRow) -> str:
    parsed = parse_up(row.topic or "")
    if parsed is None:
        raise ConflictError(f"its topic {row.topic!r} names no device: it can only be discarded", code="not-taken")
    return parsed.device_id


def _told(outcome: Outcome, device_id: str, now: datetime) -> list[OutboxRow]:
    """The words that would have left with the reply; of several about one press the last."""
    words: dict[str, str] = {}
    for reply in outcome.replies:
        body = json.loads(reply.payload)
        if isinstance(body, dict) and body.get("ref") and body.get("status"):
            words[str(body["ref"])] = str(body["status"])
    return [
        OutboxRow(
            channel="device",
            target=device_id,
            body={"kind": "ack", "ref": ref, "status": status},
            created_at=now,
            due_at=now,
            expires_at=now + _TELL_FOR,
        )
        for ref, status in words.items()
    ]
