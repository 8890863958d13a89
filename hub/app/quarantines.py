"""`hub quarantine`: works beside a running hub and without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.api.routes_quarantine import quarantined_json
from hub.app.plugging import services_on
from hub.embedded import embedded_database
from hub.errors import ConflictError, NotFoundError
from hub.ports import SYSTEM, Json
from hub.service import QuarantineDesk
from hub.settings import Settings
from hub.store import PostgresDatabase, migrate

__all__ = ["discard_quarantined", "quarantined", "quarantined_text", "replay_quarantined", "show_quarantined"]

_PAGE = 200


@contextmanager
def _desk(settings: Settings) -> Iterator[QuarantineDesk]:
    with embedded_database(settings) as url:
        migrate(url)
        with PostgresDatabase(url, min_size=0, max_size=2) as database:
            yield services_on(database, settings).quarantine


def _waiting(desk: QuarantineDesk, *, everything: bool, device_id: str | None) -> Iterator[Json]:
    after = 0
    while rows := desk.page(state=None if everything else "waiting", device_id=device_id, after=after, limit=_PAGE):
        yield from (quarantined_json(row) for row in rows)
        after = rows[-1].id


def quarantined(settings: Settings, *, everything: bool, device_id: str | None) -> Iterator[Json]:
    """What was kept aside, in the order of receipt; `everything`: settled ones too."""
    with _desk(settings) as desk:
        yield from _waiting(desk, everything=everything, device_id=device_id)


def quarantined_text(row: Json) -> str:
    """A row as one line for a person."""
    settled = "" if row["state"] == "waiting" else f" [{row['state']}: {row['outcome']}]"
    tries = f", tried {row['tries']} times: {row['last_error']}" if row["tries"] else ""
    what = row["topic"] or row["lane"]
    return (
        f"{row['id']}  {row['received_at']}  {row['device_id'] or '?'}  {what}  {row['size']} bytes  "
        f"{row['why']}: {row['reason']}{tries}{settled}"
    )


def show_quarantined(settings: Settings, number: int) -> Json:
    """One, payload and all. NotFoundError."""
    with _desk(settings) as desk:
        return quarantined_json(desk.show(number))


def replay_quarantined(
    settings: Settings, numbers: Sequence[int], *, device_id: str | None
) -> Iterator[tuple[int, bool, str]]:
    """Replays these, or with none given all that wait: (number, whether it was taken, in words) each."""
    with _desk(settings) as desk:
        # All at once: one that fails stays in the list and must not come round again.
        wanted = numbers or [row["id"] for row in _waiting(desk, everything=False, device_id=device_id)]
        for number in wanted:
            try:
                yield number, True, str(desk.replay(number, SYSTEM).outcome)
            except (ConflictError, NotFoundError) as error:
                yield number, False, error.detail


def discard_quarantined(settings: Settings, number: int, reason: str) -> None:
    """Lets one go. ConflictError, NotFoundError."""
    with _desk(settings) as desk:
        desk.discard(number, reason, SYSTEM)
