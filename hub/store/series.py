"""Uplink log, observations and fixes: appended by COPY; a few rows at the end of the transaction, with all the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from math import isfinite

from hub.ports.records import FixRow, Json, ObservationRow, UplinkRow
from hub.store.faults import faults
from hub.store.session import Session, as_json, clean

__all__ = ["SeriesDrawer"]

_UPLINKS = b"COPY uplinks (received_at, lane, device_id, topic, key, outcome, reason, events, payload) FROM STDIN"
_OBSERVATIONS = (
    b"COPY observations (received_at, observed_at, device_id, resident_id, metric, value, state, buffered) FROM STDIN"
)
_FIXES = (
    b"COPY fixes (received_at, observed_at, device_id, resident_id, lat, lon, accuracy_m, source, buffered) FROM STDIN"
)
FEW = 30
"""Up to so many rows are inserted by a statement instead."""
_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _text(value: str | None) -> str:
    if value is None:
        return _NULL
    # Nearly every word here is a plain name: look before translating.
    if value.isascii() and value.isprintable() and "\\" not in value:
        return value
    return str(clean(value)).translate(_ESCAPES)


def _bytes(value: bytes | None) -> str:
    return _NULL if value is None else r"\\x" + value.hex()


def _uplink(row: UplinkRow, at: Callable[[datetime], str]) -> str:
    return (
        f"{at(row.received_at)}\t{row.lane}\t{_text(row.device_id)}\t{_text(row.topic)}\t{_bytes(row.key)}"
        f"\t{row.outcome}\t{_text(row.reason)}\t{row.events}\t{_bytes(row.payload)}\n"
    )


def _observations(rows: Sequence[ObservationRow], at: Callable[[datetime], str]) -> Iterator[str]:
    """The lines of a COPY. Values of one record follow one another: what they share is put into words once."""
    metrics: dict[str, str] = {}
    shared: tuple[datetime, datetime, str, str | None] | None = None
    head = ""
    for received_at, observed_at, device_id, resident_id, metric, value, state, buffered in rows:
        if shared != (known := (received_at, observed_at, device_id, resident_id)):
            shared = known
            head = f"{at(received_at)}\t{at(observed_at)}\t{_text(device_id)}\t{_text(resident_id)}\t"
        name = metrics.get(metric)
        if name is None:
            name = metrics[metric] = _text(metric)
        yield (
            f"{head}{name}\t{_NULL if value is None else repr(value)}\t{_NULL if state is None else _text(state)}"
            f"\t{'t' if buffered else 'f'}\n"
        )


def _fix(row: FixRow, at: Callable[[datetime], str]) -> str:
    return (
        f"{at(row.received_at)}\t{at(row.observed_at)}\t{_text(row.device_id)}\t{_text(row.resident_id)}"
        f"\t{row.lat!r}\t{row.lon!r}\t{_NULL if row.accuracy_m is None else repr(row.accuracy_m)}\t{_text(row.source)}"
        f"\t{'t' if row.buffered else 'f'}\n"
    )


def _moments() -> Callable[[datetime], str]:
    """Times as text; a batch has few different ones."""
    known: dict[datetime, str] = {}

    def text(at: datetime) -> str:
        found = known.get(at)
        if found is None:
            found = known[at] = at.isoformat()
        return found

    return text


def _plain(row: UplinkRow | ObservationRow | FixRow) -> Json:
    """A row as JSON can carry it; for NaN and the infinities it has no number, but PostgreSQL reads their names."""
    return {
        name: repr(value) if isinstance(value, float) and not isfinite(value) else value
        for name, value in row._asdict().items()
    }


class SeriesDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._uplinks: list[UplinkRow] = []
        self._observations: list[ObservationRow] = []
        self._fixes: list[FixRow] = []

    def write(
        self, uplinks: Sequence[UplinkRow], observations: Sequence[ObservationRow], fixes: Sequence[FixRow]
    ) -> None:
        """Appends; all of a call succeed or the transaction fails."""
        if len(uplinks) + len(observations) + len(fixes) <= FEW:
            self._uplinks += uplinks
            self._observations += observations
            self._fixes += fixes
            return
        at = _moments()
        if uplinks:
            self._copy(_UPLINKS, (_uplink(row, at) for row in uplinks))
        if observations:
            self._copy(_OBSERVATIONS, _observations(observations, at))
        if fixes:
            self._copy(_FIXES, (_fix(row, at) for row in fixes))

    def flush(self) -> None:
        """Writes the few: each COPY would be two round trips of its own."""
        for block, rows in (
            ("uplinks_add", self._uplinks),
            ("observations_add", self._observations),
            ("fixes_add", self._fixes),
        ):
            if rows:
                self._session.queue(block, rows=as_json([_plain(row) for row in rows]))
        self._uplinks, self._observations, self._fixes = [], [], []

    def _copy(self, statement: bytes, lines: Iterable[str]) -> None:
        with faults(), self._session.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write("".join(lines))
