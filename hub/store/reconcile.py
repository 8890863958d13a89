"""What was received, and what senders say they sent, against what became of it. Sets in SQL: for a million rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from hub.errors import BadRequestError
from hub.ports.records import Json
from hub.store.faults import faults
from hub.store.session import Session, connect

__all__ = ["EXAMPLES", "Reconciliation", "reconcile"]

EXAMPLES = 20
"""How many of each kind are given as examples; the numbers count all."""

_TOLD = frozenset({"received", "hold", "handled", "rejected"})


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The numbers count all, the examples are the first of each.

    `lost`: an uplink that raised an alarm, or a press whose device was told received, hold or handled, without a
    stored alarm. `doubled`: one press stored more than once. `untold`: the device was told nothing yet, it repeats.
    `open`: live incidents with an alarm since then. `uplinks`: lane -> outcome -> number. `sent`, `told`, `rejected`
    and `untold` are None without the senders' ledger.
    """

    since: datetime | None
    uplinks: Mapping[str, Mapping[str, int]]
    alarms: int
    lost: int
    doubled: int
    open: int
    sent: int | None = None
    told: int | None = None
    rejected: int | None = None
    untold: int | None = None
    lost_examples: list[Json] = field(default_factory=list)
    doubled_examples: list[Json] = field(default_factory=list)
    untold_examples: list[Json] = field(default_factory=list)

    def to_json(self) -> Json:
        """Everything, times as RFC 3339 text."""
        body: Json = _plain(asdict(self))
        return body

    def to_text(self) -> str:
        """For a person: the numbers, then the examples."""
        since = f"自 since {self.since.isoformat()}" if self.since else "全部 everything stored"
        lines = [f"对账 Reconciliation, {since}"]
        for lane, outcomes in self.uplinks.items():
            counts = ", ".join(f"{outcome} {number}" for outcome, number in outcomes.items())
            lines.append(f"上行 uplinks {lane}: {counts}")
        lines.append(f"告警 alarms stored: {self.alarms}")
        if self.sent is not None:
            lines.append(
                f"发送端 senders: pressed {self.sent}, told {self.told}, rejected {self.rejected},"
                f" 未答复 untold {self.untold}"
            )
        lines.append(f"丢失 lost {self.lost}, 重复 doubled {self.doubled}, 未结 open {self.open}")
        for title, examples in (
            ("丢失 lost", self.lost_examples),
            ("重复 doubled", self.doubled_examples),
            ("未答复 untold", self.untold_examples),
        ):
            for example in examples:
                words = ", ".join(f"{key} {value}" for key, value in _plain(example).items() if value is not None)
                lines.append(f"  {title}: {words}")
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value


def reconcile(
    url: str, *, since: datetime | None = None, sent: Iterable[Mapping[str, Any]] | None = None
) -> Reconciliation:
    """Reads one snapshot of the database; changes nothing.

    `sent`: lines of the senders' ledgers, `{"device_id", "ref", "sent_at", "told"}` (and `observed_at` where known,
    which tells presses apart whose ref was used again; else sent_at does); the later line of a press wins. `since`
    bounds presses by the time they were first sent. BadRequestError names a bad line.
    """
    start = since or datetime(1970, 1, 1, tzinfo=UTC)
    with faults(), connect(url, "reconcile") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        session = Session(connection)
        uplinks: dict[str, dict[str, int]] = {}
        for row in session.all("reconcile_uplinks", since=start):
            uplinks.setdefault(row["lane"], {})[row["outcome"]] = row["n"]
        lost_total, lost = _found(session.all("reconcile_lost", since=start, limit=EXAMPLES))
        doubled_total, doubled = _found(session.all("reconcile_doubled", since=start, limit=EXAMPLES))
        alarms = session.value("reconcile_alarms", since=start)
        live = session.value("reconcile_open", since=start)
        if sent is None:
            connection.execute("ROLLBACK")
            return Reconciliation(
                since, uplinks, alarms, lost_total, doubled_total, live, lost_examples=lost, doubled_examples=doubled
            )
        _take_ledger(session, sent, start)
        presses = session.one("reconcile_presses") or {}
        gone_total, gone = _found(session.all("reconcile_sent_lost", limit=EXAMPLES))
        untold_total, untold = _found(session.all("reconcile_untold", limit=EXAMPLES))
        connection.execute("ROLLBACK")
    return Reconciliation(
        since,
        uplinks,
        alarms,
        lost_total + gone_total,
        doubled_total,
        live,
        sent=presses["sent"],
        told=presses["told"],
        rejected=presses["rejected"],
        untold=untold_total,
        lost_examples=[*lost, *gone][:EXAMPLES],
        doubled_examples=doubled,
        untold_examples=untold,
    )


def _found(rows: list[Json]) -> tuple[int, list[Json]]:
    total = rows[0]["total"] if rows else 0
    return total, [{key: value for key, value in row.items() if key != "total"} for row in rows]


def _take_ledger(session: Session, sent: Iterable[Mapping[str, Any]], start: datetime) -> None:
    connection = session.connection
    session.run("reconcile_sent_line")
    with connection.cursor() as cursor, cursor.copy(b"COPY sent_line FROM STDIN") as copy:
        for number, line in enumerate(sent, 1):
            copy.write_row(_line(number, line))
    session.run("reconcile_sent_press")
    connection.execute("DELETE FROM sent_press WHERE sent_at < %s", (start,))
    connection.execute("ANALYZE sent_press")


def _line(number: int, line: Mapping[str, Any]) -> tuple[Any, ...]:
    device_id, ref, told = line.get("device_id"), line.get("ref"), line.get("told")
    if not isinstance(device_id, str) or not isinstance(ref, str):
        raise BadRequestError(f"ledger entry {number}: device_id and ref must be text", field="sent")
    if told is not None and told not in _TOLD:
        raise BadRequestError(
            f"ledger entry {number}: told {told!r} is none of {', '.join(sorted(_TOLD))}", field="sent"
        )
    return number, device_id, ref, _moment(number, line, "sent_at"), told, _moment(number, line, "observed_at")


def _moment(number: int, line: Mapping[str, Any], name: str) -> datetime | None:
    value = line.get(name)
    if value is None or isinstance(value, datetime):
        return value
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadRequestError(f"ledger entry {number}: {name} {value!r} is no RFC 3339 time", field="sent") from None
    if found.tzinfo is None:
        raise BadRequestError(f"ledger entry {number}: {name} {value!r} has no offset", field="sent")
    return found
