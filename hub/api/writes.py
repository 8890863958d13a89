"""Writes done once: `Idempotency-Key` gives the first answer again, `If-Match` writes only on the version read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request

from hub.api.answers import JsonAnswer, one, plain
from hub.api.deps import Caller, Hub, Who, hub_of
from hub.errors import BadRequestError, ConflictError, UnavailableError
from hub.ports import Actor, Json

__all__ = ["Write", "Writing", "parse_version"]

T = TypeVar("T")
_VERSION = re.compile(r'(?:W/)?"?(\d{1,9})"?')
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def parse_version(text: str | None) -> int | None:
    """The version of an If-Match header: `"3"` or 3; `*` and nothing at all mean any."""
    if text is None or text.strip() in ("", "*"):
        return None
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise BadRequestError(f'If-Match: give the version like "3", not {text[:40]!r}', field="If-Match")
    return int(found[1])


@dataclass(frozen=True, slots=True)
class Writing:
    """One write by one caller."""

    hub: Hub
    caller: Caller
    version: int | None
    key: str | None
    request: bytes

    @property
    def actor(self) -> Actor:
        return self.caller.actor

    def expect(self, view: Json) -> None:
        """ConflictError where the thing is not at the version of `If-Match`; for use cases that take none."""
        current = view.get("version")
        if self.version is not None and current is not None and current != self.version:
            raise ConflictError(
                f"it was changed meanwhile: version {current}, not {self.version}", code="version", version=current
            )

    def once(
        self,
        act: Callable[[], T],
        view: Callable[[T], Json],
        *,
        status: int = 200,
        headers: Callable[[Json], Mapping[str, str]] | None = None,
    ) -> JsonAnswer:
        """Does `act` (one transaction of a use case) and answers `view` of what it gave.

        With a key seen before: nothing is done and the first answer is given again. A failed `act` did nothing, so its
        key is free again; a failed `view` leaves the key taken, since what was asked for has been done.
        """
        key = self.key
        if key is None:
            body = view(act())
            return one(body, status, headers(body) if headers else None)
        user_id = self.caller.user_id
        with self.hub.database.begin() as tx:
            first = tx.idempotent(user_id, key, self.request, self.hub.clock())
        if first is not None:
            again = first["answer"]
            return one(again, first["status"], {"Idempotent-Replay": "true", **(headers(again) if headers else {})})
        try:
            done = act()
        except BaseException as error:
            # A commit whose answer was lost may have happened: its key stays taken, so that nobody does it twice.
            if not (isinstance(error, UnavailableError) and error.extra.get("outcome") == "unknown"):
                with suppress(UnavailableError), self.hub.database.begin() as tx:
                    tx.forget(user_id, key)
            raise
        body = plain(view(done))
        with self.hub.database.begin() as tx:
            tx.remember(user_id, key, status, body)
        return one(body, status, headers(body) if headers else None)


async def _write(
    request: Request,
    caller: Who,
    hub: Annotated[Hub, Depends(hub_of)],
    idempotency_key: Annotated[
        str | None, Header(max_length=128, description="The same key gives the first answer again, for 24 h")
    ] = None,
    if_match: Annotated[
        str | None, Header(max_length=64, description='Write only on this version, else 412: `"3"`')
    ] = None,
) -> Writing:
    if idempotency_key is not None and _KEY.fullmatch(idempotency_key) is None:
        raise BadRequestError("Idempotency-Key: 1 to 128 visible ASCII characters", field="Idempotency-Key")
    digest = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query, if_match or ""):
        digest.update(part.encode())
        digest.update(b"\0")
    digest.update(await request.body())
    return Writing(hub, caller, parse_version(if_match), idempotency_key, digest.digest())


Write = Annotated[Writing, Depends(_write)]
