"""A night at the desk with channels that remember what they were given; the clock is the test's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from devices import FAMILIES
from dispatch import SERVICE_KINDS, HaversineTravel
from hub.clock import new_id
from hub.notices import CHANNELS, LANES, Channel, Notice
from hub.notices.pacing import QuietHours, RateRule
from hub.ports import CallOutcome, Message, SendFailedError, Sent
from hub.service import Wording, build_services, notify
from hub.store import PostgresDatabase
from hub.store.reference import seed_catalogue
from tests.service.conftest import START, World, _load

__all__ = ["Channelled", "Night", "open_night"]


@dataclass
class Channelled:
    """An outlet that keeps its messages. `trouble`: raised instead, the first first. `during`: runs while it sends."""

    provider: str = "test"
    rate: RateRule | None = None
    sent: list[tuple[datetime, Message]] = field(default_factory=list)
    trouble: list[SendFailedError] = field(default_factory=list)
    during: Callable[[Message], None] = lambda _message: None
    outcomes: dict[str, CallOutcome] = field(default_factory=dict)
    hung_up: list[str] = field(default_factory=list)

    def bucket(self, address: str) -> str:
        return f"test:{address}"

    def rule(self, _address: str) -> RateRule | None:
        return self.rate

    def send(self, message: Message) -> Sent:
        self.during(message)
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append((message.now, message))
        return Sent(ref=f"ref-{message.key}")

    def look(self, ref: str) -> CallOutcome | None:
        return self.outcomes.get(ref)

    def hang_up(self, ref: str) -> None:
        self.hung_up.append(ref)

    def check(self) -> str:
        return "works"


@dataclass
class Night(World):
    """Time passes second by second where something can happen."""

    outlets: dict[Channel, Channelled] = field(default_factory=dict)

    def begin(self) -> None:
        """Everything from the start, but for the people and places."""
        self.now = START
        self.outlets.clear()
        self.outlets.update({channel: Channelled() for channel in CHANNELS})

    def turn(self, limit: int = 20) -> int:
        """The senders look once; then what time brings."""
        done = 0
        for lane in LANES:
            for channel in self.services.sending.due(lane):
                done += self.services.sending.run_once(lane, channel, limit)
        return done + self.services.following.tend()

    def sleep(self, seconds: float, step: float = 1.0) -> None:
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.turn()
            self.now = min(end, self.now + timedelta(seconds=step))
        self.turn()

    def ask(self, notice: Notice) -> str:
        with self.database.begin() as tx:
            return notify(tx, notice, now=self.now).id

    def call_out(self, assignment: dict[str, Any], channel: Channel = "voice", **fields: Any) -> str:
        params = {"what": "sos", "place": "第3网格", "address": "西里 3 幢 501"}
        return self.ask(
            Notice(
                str(assignment["incident_id"]),
                f"responder:{assignment['responder_id']}",
                channel,
                "call_out",
                params,
                assignment_id=str(assignment["id"]),
                **fields,
            )
        )

    def offered(self) -> list[dict[str, Any]]:
        """An incident and its two offers, S1 first."""
        self.press("W1")
        incident_id = str(self.row("SELECT id FROM incidents")["id"])
        for responder in ("S1", "S2"):
            self.services.dispatching.assign(incident_id, responder, self.actors["zhoumin"])
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "DELETE FROM notices WHERE template = 'call_out'"
            )  # of the offers themselves: these tests bring their own
        return self.rows("SELECT id, incident_id, responder_id FROM assignments ORDER BY responder_id")

    def state(self, notice_id: str) -> str:
        return str(self.row("SELECT state FROM notices WHERE id = %s", notice_id)["state"])

    def told_by(self, channel: Channel) -> list[Message]:
        return [message for _, message in self.outlets[channel].sent]

    def tries(self, incident_id: object) -> list[tuple[str, str]]:
        """The timeline's lines about notices: (channel, result), oldest first."""
        query = (
            "SELECT body FROM timeline WHERE subject_kind = 'incident' AND subject_id = %s AND kind = 'notified' "
            "ORDER BY seq"
        )
        return [(row["body"]["channel"], row["body"]["result"]) for row in self.rows(query, str(incident_id))]


def open_night(database_url: str, quiet: QuietHours | None = None) -> Iterator[Night]:
    with PostgresDatabase(database_url) as database:
        holder: list[Night] = []
        outlets: dict[Channel, Channelled] = {channel: Channelled() for channel in CHANNELS}
        services = build_services(
            database,
            clock=lambda: holder[0].now if holder else START,
            new_id=new_id,
            codecs={name: family.codec for name, family in FAMILIES.items()},
            travel=HaversineTravel(),
            sample=lambda _id: False,
            hash_secret=lambda secret: f"hash:{len(secret)}",
            outlets=outlets,
            wording=Wording("柳岸", "0553-1234567", "https://hub.example"),
            quiet=quiet,
        )
        night = Night(database, services, database_url, outlets=outlets)
        holder.append(night)
        _load(night)
        with database.begin() as tx:
            for number, name in enumerate(("S1", "S2", "S3"), start=1):
                tx.reference.patch("responders", name, {"phone": f"1380000000{number}"}, version=None)
            seed_catalogue(tx.reference, SERVICE_KINDS.values())
        yield night
