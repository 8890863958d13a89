"""Timeline entries as named events, with the present view of what they are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import msgspec

from hub.ports import Cursor, Json, Reads

__all__ = ["FeedEvent", "compose", "event_of", "everything", "frame_of", "parse_cursor"]

_LIVE = frozenset({"offered", "accepted", "en_route", "on_scene"})
_NONE: Mapping[str, Json] = MappingProxyType({})
_ENCODER = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One named event, ready for the wire.

    `ident` is the cursor that goes with it (None: not on the timeline). `first_seq` to `last_seq` are its own entries.
    `responders` and `residents` are those whose matter it is; `internal`: never for families and residents.
    """

    name: str
    ident: str | None
    body: Json
    data: bytes
    frame: bytes
    first_seq: int = 0
    last_seq: int = 0
    responders: frozenset[str] = frozenset()
    residents: frozenset[str] = frozenset()
    internal: bool = False

    @property
    def seq(self) -> int | None:
        return self.last_seq or None

    def since(self, after: int) -> FeedEvent:
        """The same event without the entries up to `after`."""
        if not self.last_seq or self.first_seq > after:
            return self
        entries = [entry for entry in self.body.get("entries", ()) if entry["seq"] > after]
        body = {key: value for key, value in self.body.items() if key != "entries"}
        if len(entries) > 1:
            body["entries"] = entries
        data = _ENCODER.encode(body)
        return replace(
            self,
            body=body,
            data=data,
            frame=frame_of(self.name, self.ident, data),
            first_seq=entries[0]["seq"] if entries else self.last_seq,
        )


def parse_cursor(text: str | None) -> Cursor | None:
    """`epoch-seq` as a cursor; None where it is none."""
    epoch, dash, seq = (text or "").rpartition("-")
    if not dash or not epoch or not seq.isascii() or not seq.isdigit() or len(seq) > 18:
        return None
    return Cursor(epoch, int(seq))


def everything(_event: FeedEvent) -> bool:
    """The filter of who may see all."""
    return True


def frame_of(name: str, ident: str | None, data: bytes) -> bytes:
    """The event as it goes over the wire. JSON has no bare line ends, so one data line is enough."""
    head = f"id: {ident}\nevent: {name}\ndata: " if ident else f"event: {name}\ndata: "
    return head.encode() + data + b"\n\n"


def event_of(
    name: str,
    body: Json,
    *,
    responders: frozenset[str] = frozenset(),
    residents: frozenset[str] = frozenset(),
) -> FeedEvent:
    """An event that is not on the timeline."""
    data = _ENCODER.encode(body)
    return FeedEvent(name, None, body, data, frame_of(name, None, data), responders=responders, residents=residents)


@dataclass(slots=True)
class _Matter:
    """Entries of one subject, in order."""

    kind: str
    ident: str
    entries: list[Json] = field(default_factory=list)

    @property
    def first(self) -> int:
        return int(self.entries[0]["seq"])

    @property
    def last(self) -> int:
        return int(self.entries[-1]["seq"])

    @property
    def assignments(self) -> dict[str, Json]:
        """Assignment id -> its latest entry."""
        found: dict[str, Json] = {}
        for entry in self.entries:
            ident = (entry.get("body") or {}).get("assignment_id")
            if ident:
                found[str(ident)] = entry
        return found


def compose(
    reads: Reads, epoch: str, floor: int, entries: Sequence[Json], known: Mapping[str, Json] = _NONE
) -> list[FeedEvent]:
    """Events of the entries after `floor` (everything up to it was delivered before), in order of their last entry.

    What an entry is about is read once, as it is now. A subject that is gone gives no event. `known`: incidents that
    were read after the last of their entries.
    """
    matters: dict[tuple[str, str], _Matter] = {}
    for entry in entries:
        key = (entry["subject_kind"], str(entry["subject_id"]))
        matters.setdefault(key, _Matter(*key)).entries.append(entry)
    ordered = sorted(matters.values(), key=lambda matter: matter.last)
    views = _load(reads, ordered, known)
    # The place up to which everything is delivered once matter i is: before the first entry of whatever comes later.
    complete: list[int] = []
    ahead: int | None = None
    for matter in reversed(ordered):
        complete.append(matter.last if ahead is None else min(matter.last, ahead - 1))
        ahead = matter.first if ahead is None else min(ahead, matter.first)
    complete.reverse()
    events: list[FeedEvent] = []
    done = floor
    for matter, place in zip(ordered, complete, strict=True):
        made = list(_events_of(matter, views))
        for number, event in enumerate(made, start=1):
            at = place if number == len(made) else done
            events.append(_placed(event, f"{epoch}-{at}"))
        done = place
    return events


def _placed(event: FeedEvent, ident: str) -> FeedEvent:
    return replace(event, ident=ident, frame=frame_of(event.name, ident, event.data))


@dataclass(slots=True)
class _Views:
    incidents: dict[str, Json]
    orders: dict[str, Json]
    by_visit: dict[str, Json]
    assignments: dict[str, Json]
    records: dict[tuple[str, str], Json]


def _load(reads: Reads, matters: Iterable[_Matter], known: Mapping[str, Json]) -> _Views:
    ids: dict[str, list[str]] = {}
    assignments: set[str] = set()
    for matter in matters:
        ids.setdefault(matter.kind, []).append(matter.ident)
        assignments.update(matter.assignments)
    by_visit = {ident: order for ident in ids.get("visit", ()) if (order := reads.order_of_visit(ident))}
    records: dict[tuple[str, str], Json] = {}
    for kind, table in (("call", "calls"), ("device", "devices"), ("resident", "residents")):
        for ident in ids.get(kind, ()):
            row = reads.record(table, ident)
            if row is not None:
                records[kind, ident] = row
    asked = [ident for ident in ids.get("incident", ()) if ident not in known]
    return _Views(
        incidents={**known, **(reads.incidents_by_id(asked) if asked else {})},
        orders=reads.orders_by_id(ids["order"]) if "order" in ids else {},
        by_visit=by_visit,
        assignments=reads.assignments_by_id(assignments) if assignments else {},
        records=records,
    )


def _events_of(matter: _Matter, views: _Views) -> Iterable[FeedEvent]:
    yield from _assignment_events(matter, views)
    body: dict[str, Any] | None = None
    name = f"{matter.kind}.updated"
    view: Json | None = None
    internal = False
    if matter.kind == "incident" and (view := views.incidents.get(matter.ident)):
        body = {"incident": view}
        if any(entry["kind"] == "raised" for entry in matter.entries):
            name = "incident.raised"
    elif matter.kind == "order" and (view := views.orders.get(matter.ident)):
        body = {"order": view}
    elif matter.kind == "visit" and (view := views.by_visit.get(matter.ident)):
        body = {"visit": view.get("visit"), "order": view}
    elif (matter.kind, matter.ident) in views.records:
        # Calls, devices and residents' records are the desk's own; a family sees what comes of them.
        view = views.records[matter.kind, matter.ident]
        body = {matter.kind: view}
        internal = True
    if body is None or view is None:
        return
    body["entry"] = matter.entries[-1]
    if len(matter.entries) > 1:
        body["entries"] = matter.entries
    data = _ENCODER.encode(body)
    on_it = view.get("assignments") or (view.get("visit") or {}).get("assignments") or ()
    resident = matter.ident if matter.kind == "resident" else (view.get("resident") or {}).get("id")
    yield FeedEvent(
        name,
        None,
        body,
        data,
        b"",
        first_seq=matter.first,
        last_seq=matter.last,
        responders=frozenset(row["responder"]["id"] for row in on_it if row["state"] in _LIVE),
        residents=frozenset({resident} if resident else ()),
        internal=internal,
    )


def _assignment_events(matter: _Matter, views: _Views) -> Iterable[FeedEvent]:
    for ident, entry in matter.assignments.items():
        view = views.assignments.get(ident)
        if view is None:
            continue
        body = {"assignment": view, "entry": entry}
        yield FeedEvent(
            "assignment.updated",
            None,
            body,
            _ENCODER.encode(body),
            b"",
            first_seq=int(entry["seq"]),
            last_seq=int(entry["seq"]),
            responders=frozenset({view["responder"]["id"]}),
            internal=True,
        )
