"""What the audit says of a changed record, and who was first when two changed it.

The audit is read by supervisors for other reasons than care and is never emptied: it says what stood there before and
after, but of illness, of the way in and of notes only that they were changed, and of numbers as much as tells two
apart. It must not become a second register of what the first one masks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from hub.api.answers import plain
from hub.api.deps import Hub
from hub.api.masking import masked_number, masked_phone
from hub.errors import ConflictError
from hub.ports import Json

__all__ = ["changed_fields", "told_changes", "who_was_first"]

_SECRET: Final = frozenset({"conditions", "medications", "allergies", "hearing", "notes", "access", "boundary"})
"""Only that it changed."""
_NUMBERS: Final = frozenset({"phone", "other_phones"})
_LONGEST: Final = 300
_UNTOLD: Final = frozenset({"id", "version", "created_at", "path"})


def _told(name: str, value: Any) -> Any:
    if value is None or value == "" or value == []:
        return None
    if name in _SECRET:
        return "***"
    if name in _NUMBERS:
        return [masked_phone(one) for one in value] if isinstance(value, list) else masked_phone(str(value))
    if name == "id_number":
        return masked_number(str(value))
    return f"{value[:_LONGEST]}…" if isinstance(value, str) and len(value) > _LONGEST else value


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Names of fields that differ, by what is stored."""
    names = (set(before) | set(after)) - _UNTOLD
    return sorted(name for name in names if plain(before.get(name)) != plain(after.get(name)))


def told_changes(before: Json, after: Json) -> Json:
    """Field -> [before, after] of whatever differs; see the top of this module for what is left out of it."""
    return {
        name: [_told(name, plain(before.get(name))), _told(name, plain(after.get(name)))]
        for name in changed_fields(before, after)
    }


@contextmanager
def who_was_first(hub: Hub, table: str, row_id: str) -> Iterator[None]:
    """A lost race says who won it: `by`, `at` and `fields` of the latest change, from the audit."""
    try:
        yield
    except ConflictError as error:
        if error.code != "version":
            raise
        with hub.database.begin() as tx:
            last = tx.register.last_change(f"{table}:{row_id}")
        if last is None:
            raise
        fields = ", ".join(last.fields)
        raise ConflictError(
            f"it was changed meanwhile by {last.by or 'the hub'}{f': {fields}' if fields else ''}",
            code="version",
            **{**error.extra, "by": {"name": last.by}, "at": last.at, "fields": list(last.fields)},
        ) from error
