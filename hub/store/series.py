"""Uplink log, observations and fixes: appended by binary COPY; a few rows at the end of the transaction instead.

Binary, because the server reads a time as text in half a microsecond and a row has two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isfinite
from struct import Struct

from hub.ports.records import EncodedRows, FixRow, Json, MeasuredRow, ObservationRow, UplinkRow
from hub.store.faults import faults
from hub.store.session import Session, as_json, clean

__all__ = ["SeriesDrawer", "encoded"]

_UPLINKS = (
    b"COPY uplinks (received_at, lane, device_id, topic, key, outcome, reason, events, payload)"
    b" FROM STDIN WITH (FORMAT binary)"
)
_OBSERVATIONS = (
    b"COPY observations (received_at, observed_at, device_id, resident_id, metric, value, state, buffered)"
    b" FROM STDIN WITH (FORMAT binary)"
)
_FIXES = (
    b"COPY fixes (received_at, observed_at, device_id, resident_id, lat, lon, accuracy_m, source, buffered)"
    b" FROM STDIN WITH (FORMAT binary)"
)
FEW = 30
"""Up to so many rows are inserted by a statement instead."""

# The format is PostgreSQL's manual, "COPY", "Binary Format": a signature, flags, the length of an extension; then for
# each row the number of its fields (16 bit) and each field's length (32 bit) and bytes; at the end -1.
_BEGIN = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_TRUE, _FALSE = b"\0\0\0\1\1", b"\0\0\0\1\0"
_WORDLESS, _WORDLESS_BUFFERED = _NULL + _FALSE, _NULL + _TRUE
_EIGHT, _NINE = b"\0\x08", b"\0\x09"
_SIZE = Struct("!i").pack
_INT2 = Struct("!ih").pack
_INT8 = Struct("!iq").pack
_FLOAT4 = Struct("!if").pack
_FLOAT8 = Struct("!id").pack
_DOUBLE = Struct("!d").pack
_TWO_FLOAT8 = Struct("!idid").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _text(value: str | None) -> bytes:
    if value is None:
        return _NULL
    # Nearly every word here is a plain name: look before cleaning.
    coded = value.encode() if value.isascii() and "\0" not in value else str(clean(value)).encode()
    return _SIZE(len(coded)) + coded


def _bytes(value: bytes | None) -> bytes:
    return _NULL if value is None else _SIZE(len(value)) + value


@lru_cache(maxsize=4096)
def _moment(at: datetime) -> bytes:
    """A time as PostgreSQL counts it, microseconds since 2000. Those of one read, or one second, are the same."""
    return _INT8(8, (at - _EPOCH) // _MICROSECOND)


@lru_cache(maxsize=4096)
def _word(value: str | None) -> bytes:
    """As `_text`, of words that are few."""
    return _text(value)


def _uplink(row: UplinkRow) -> bytes:
    received_at, lane, device_id, topic, key, outcome, reason, events, payload = row
    return b"".join(
        (
            _NINE,
            _moment(received_at),
            _word(lane),
            _text(device_id),
            _text(topic),
            _bytes(key),
            _word(outcome),
            _NULL if reason is None else _text(reason),
            _INT2(2, events),
            _bytes(payload),
        )
    )


def _observations(rows: Sequence[ObservationRow]) -> bytes:
    """Values of one record follow one another: what they share is put into bytes once."""
    shared: tuple[datetime, datetime, str, str | None] | None = None
    head = b""
    parts: list[bytes] = []
    for received_at, observed_at, device_id, resident_id, metric, value, state, buffered in rows:
        if shared != (known := (received_at, observed_at, device_id, resident_id)):
            shared = known
            head = _EIGHT + _moment(received_at) + _moment(observed_at) + _text(device_id) + _text(resident_id)
        parts += (
            head,
            _word(metric),
            _NULL if value is None else _FLOAT8(8, value),
            _NULL if state is None else _text(state),
            _TRUE if buffered else _FALSE,
        )
    return b"".join(parts)


def _measured(row: MeasuredRow) -> bytes:
    """The rows of one event, as `_observations` makes them."""
    received_at, observed_at, device_id, resident_id, values, state, buffered = row
    # What a device says it observed is hardly ever the same twice: not a matter for `_moment`'s memory.
    observed = _INT8(8, (observed_at - _EPOCH) // _MICROSECOND)
    head = b"".join((_EIGHT, _moment(received_at), observed, _text(device_id), _text(resident_id)))
    tail = _WORDLESS_BUFFERED if buffered else _WORDLESS
    parts: list[bytes] = []
    for metric, value in values.items():
        parts += (head, _metric(metric), _DOUBLE(value), tail)
    if state is not None:
        parts += (head, _word("activity"), _NULL, _text(state), _TRUE if buffered else _FALSE)
    return b"".join(parts)


@lru_cache(maxsize=256)
def _metric(name: str) -> bytes:
    """A metric's name and the length of the number that follows it."""
    return _text(name) + b"\0\0\0\x08"


def encoded(uplink: UplinkRow, measured: MeasuredRow) -> EncodedRows:
    """One uplink and its observations as `SeriesDrawer.write` takes them ready made."""
    return _uplink(uplink), _measured(measured)


def _fixes(rows: Sequence[FixRow]) -> bytes:
    return b"".join(
        [
            _NINE
            + _moment(row.received_at)
            + _moment(row.observed_at)
            + _text(row.device_id)
            + _text(row.resident_id)
            + _TWO_FLOAT8(8, row.lat, 8, row.lon)
            + (_NULL if row.accuracy_m is None else _FLOAT4(4, row.accuracy_m))
            + _word(row.source)
            + (_TRUE if row.buffered else _FALSE)
            for row in rows
        ]
    )


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
        self,
        uplinks: Sequence[UplinkRow],
        observations: Sequence[ObservationRow],
        fixes: Sequence[FixRow],
        ready: Sequence[EncodedRows] = (),
    ) -> None:
        """Appends; all of a call succeed or the transaction fails. `ready`: further uplinks, from `encoded`."""
        if not ready and len(uplinks) + len(observations) + len(fixes) <= FEW:
            self._uplinks += uplinks
            self._observations += observations
            self._fixes += fixes
            return
        self._copy(_UPLINKS, [*map(_uplink, uplinks), *[uplink for uplink, _ in ready]])
        self._copy(_OBSERVATIONS, [_observations(observations), *[rows for _, rows in ready]])
        self._copy(_FIXES, [_fixes(fixes)])

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

    def _copy(self, statement: bytes, rows: Sequence[bytes]) -> None:
        whole = b"".join([_BEGIN, *rows, _END])
        if len(whole) == len(_BEGIN) + len(_END):
            return
        with faults(), self._session.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(whole)
