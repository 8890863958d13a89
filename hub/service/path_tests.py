"""The hub tests its own alarm path: a device of its own presses, over the broker, and the way of the press is timed.

Published -> the device is told `received` (it is committed) -> the alarm is a row -> the live feed has shown it. What
is pressed says of itself that it is a test, so nobody is called and no responder ever sees it; its incident is closed
as a test. A test that does not come through is a technical incident of the path, high, and stays one until the next
test comes through: a silent alarm path is the one fault that no alarm tells of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Final, Protocol

from hub.alarms import SYSTEM, Actor, Alarm, Close, apply
from hub.alarms.model import Reason
from hub.clock import Clock, IdSource, monotonic
from hub.ports import Database, Json, PathSeen, PathTestRow, Transaction
from hub.service.raising import NewAlarm, Raising
from hub.service.writing import Writer

__all__ = ["PATH_DEVICE", "PathTests", "Probe", "Probed"]

PATH_DEVICE: Final = "path-test"
SUBJECT: Final = "path:alarms"
_PROFILE: Final = "path-test"
_STUCK: Final = timedelta(minutes=2)
_LOOK_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Probed:
    """What the device itself saw: when it published, and when it was told (None: it was not, and why)."""

    published_at: datetime
    told_at: datetime | None
    error: str | None = None


class Probe(Protocol):
    """Presses over the broker as a device does. Never raises: what went wrong is in the answer."""

    def press(self, device_id: str, ref: str, within_s: float) -> Probed: ...


class PathTests:
    """Asks for tests, makes them, says what came of them. `shown`: up to where the live feed of this process has
    published (None: this process has none, and that step is not judged).
    """

    def __init__(
        self, database: Database, clock: Clock, new_id: IdSource, raising: Raising, writer: Writer, zone: tzinfo
    ) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._raising = raising
        self._writer = writer
        self._zone = zone

    def ask(self, actor: Actor) -> str:
        """Somebody wants one now; gives its id. It is made within seconds by whoever has the jobs."""
        now, row_id = self._clock(), self._new_id()
        with self._database.begin() as tx:
            self._device(tx)
            tx.path_tests.want(row_id, f"path-{row_id[-12:]}", None, actor.name, now)
            tx.audit.add(actor, "path_tests.ask", f"path_tests:{row_id}", {}, now)
        return row_id

    def ask_daily(self, at: time) -> bool:
        """Asks for the day's, once its local time has come, however many processes do. True: it was asked for now."""
        now = self._clock()
        local = now.astimezone(self._zone)
        if local.time() < at:
            return False
        row_id = self._new_id()
        with self._database.begin() as tx:
            self._device(tx)
            return tx.path_tests.want(row_id, f"path-{row_id[-12:]}", local.date(), SYSTEM.name, now)

    def last(self) -> Json | None:
        """What came of the latest test."""
        with self._database.begin() as tx:
            return tx.path_tests.last()

    def make_next(
        self, probe: Probe, *, within_s: float, shown: Callable[[], int | None], pause: Callable[[float], object]
    ) -> Json | None:
        """Makes one that is wanted; gives what came of it, None where none is. `pause` waits so many seconds."""
        with self._database.begin() as tx:
            row = tx.path_tests.claim(self._clock(), self._clock() - _STUCK)
        if row is None:
            return None
        probed = probe.press(PATH_DEVICE, row.ref, within_s)
        until = monotonic() + within_s
        seen = self._follow(row, until, pause) if probed.error is None else None
        shown_at, why = self._shown(seen, until, shown, pause)
        late = self._late(probed, seen, why, within_s)
        steps = {
            name: round((at - probed.published_at).total_seconds(), 4)
            for name, at in (
                ("told", probed.told_at),
                ("recorded", seen.recorded_at if seen else None),
                ("shown", shown_at),
            )
            if at is not None
        }
        now = self._clock()
        fields: Json = {
            "state": "failed" if late else "passed",
            "published_at": probed.published_at,
            "told_at": probed.told_at,
            "recorded_at": seen.recorded_at if seen else None,
            "shown_at": shown_at,
            "finished_at": now,
            "reason": late,
            "steps": steps,
        }
        with self._database.begin() as tx:
            tx.path_tests.finish(row, fields)
            self._close_test(tx, seen, now)
            if late:
                self._alert(tx, row, late, now)
            else:
                self._over(tx, now)
        return fields

    # ---- the way of one press ---------------------------------------------------------------------------------------

    def _follow(self, row: PathTestRow, until: float, pause: Callable[[float], object]) -> PathSeen | None:
        while True:
            with self._database.begin() as tx:
                seen = tx.path_tests.seen(PATH_DEVICE, row.ref)
            if seen is not None or monotonic() >= until:
                return seen
            pause(_LOOK_S)

    def _shown(
        self, seen: PathSeen | None, until: float, shown: Callable[[], int | None], pause: Callable[[float], object]
    ) -> tuple[datetime | None, str | None]:
        if seen is None or seen.seq is None:
            return None, None
        while True:
            place = shown()
            if place is None:
                return None, None
            if place >= seen.seq:
                return self._clock(), None
            if monotonic() >= until:
                return None, "the live feed has not shown it"
            pause(_LOOK_S)

    @staticmethod
    def _late(probed: Probed, seen: PathSeen | None, why: str | None, within_s: float) -> str | None:
        if probed.error is not None:
            return probed.error
        if seen is None:
            return f"no row after {within_s:g} s: the press was published and is not in the database"
        if probed.told_at is None:
            return f"its device was not told within {within_s:g} s that it was received"
        return why

    # ---- incidents --------------------------------------------------------------------------------------------------

    def _close_test(self, tx: Transaction, seen: PathSeen | None, now: datetime) -> None:
        incident = tx.incidents.get(seen.incident_id, lock=True) if seen and seen.incident_id else None
        if incident is None or not incident.live or incident.alarm_class != "test":
            return
        action = Close(disposition="test", summary="报警通路自检 · test of the alarm path", sampled=False)
        self._writer.write(tx, apply(incident, action, now=now, actor=SYSTEM), now=now)

    def _alert(self, tx: Transaction, row: PathTestRow, why: str, now: datetime) -> None:
        reason = Reason("path_test_failed", f"a test alarm did not come through: {why}", {"ref": row.ref})
        alarm = Alarm(
            id=self._new_id(),
            device_id=None,
            resident_id=None,
            type="device_fault",
            alarm_class="technical",
            priority="high",
            received_at=now,
            note=f"报警通路自检失败 · {reason.text}",
            source="system",
            attributes={"cause": SUBJECT},
            upstream=SUBJECT,
            reasons=(reason,),
        )
        self._raising.raise_alarms(tx, [NewAlarm(alarm, family="path", actor=SYSTEM)], now)

    def _over(self, tx: Transaction, now: datetime) -> None:
        incident = tx.incidents.lock_live([(SUBJECT, "technical")]).get((SUBJECT, "technical"))
        if incident is None:
            return
        action = Close(disposition="device_fault", summary="恢复 · a test alarm has come through again", sampled=False)
        self._writer.write(tx, apply(incident, action, now=now, actor=SYSTEM), now=now)

    @staticmethod
    def _device(tx: Transaction) -> None:
        """The hub's own device: nobody's, and supervised by nobody, since it speaks once a day."""
        if PATH_DEVICE in tx.devices.get_many({PATH_DEVICE}):
            return
        profile: Json = {
            "id": _PROFILE,
            "family": "care",
            "zh": "报警通路自检",
            "en": "Test of the alarm path",
            "interval_s": None,
            "silence": {"supervised": False},
            "reading": {},
            "setup": [],
            "note": None,
            "built_in": True,
        }
        tx.reference.make_missing("device_profiles", [profile])
        device = {"id": PATH_DEVICE, "family": "care", "name": "报警通路自检 · path test", "profile_id": _PROFILE}
        tx.reference.make_missing("devices", [device])
