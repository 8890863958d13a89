"""What one event measured, made into rows ahead: the same bytes as row by row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.ports import UplinkRow
from hub.ports.records import MeasuredRow
from hub.store import series

_NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
_moments = st.integers(-(10**12), 10**12).map(lambda us: _NOW + timedelta(microseconds=us))
_words = st.text(max_size=20)
_numbers = st.one_of(st.floats(), st.integers(-(2**53), 2**53))


@given(
    received_at=_moments,
    observed_at=_moments,
    device_id=_words,
    resident_id=st.none() | _words,
    values=st.dictionaries(_words, _numbers, max_size=5),
    state=st.none() | _words,
    buffered=st.booleans(),
)
def test_the_same_bytes_whichever_way(
    received_at: datetime,
    observed_at: datetime,
    device_id: str,
    resident_id: str | None,
    values: dict[str, float],
    state: str | None,
    buffered: bool,
) -> None:
    row = MeasuredRow(received_at, observed_at, device_id, resident_id, values, state, buffered)
    uplink = UplinkRow(received_at, "telemetry", device_id, None, None, "accepted")
    assert series.encoded(uplink, row)[1] == series._observations(row.rows())
