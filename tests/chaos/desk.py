"""An operator who claims and closes whatever is open, while the hub comes and goes under his hands."""

from __future__ import annotations

import threading
from contextlib import ExitStack, suppress
from types import TracebackType
from typing import Any, Self

import httpx

from tests.fixtures.hub import RunningHub

__all__ = ["Desk"]

PAUSE_S = 0.25


class Desk:
    """Works in a thread of its own from entering to leaving; `closed` counts what was closed.

    It is one person with one console session: the session outlives the hub's deaths. Nobody knows whether a request
    that broke off was done, so it looks again and goes on from there.
    """

    def __init__(self, hub: RunningHub) -> None:
        self._hub = hub
        self._leaving = threading.Event()
        self._session = ExitStack()
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self.closed = 0
        self.failure: BaseException | None = None

    def __enter__(self) -> Self:
        # Before anybody is killed: a log-in that breaks off would leave the desk empty for the whole run.
        self._client = self._session.enter_context(self._hub.sign_in("operator"))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join(20)
        self._session.close()
        if kind is None and self.failure is not None:
            raise self.failure

    def _work(self) -> None:
        try:
            while not self._leaving.is_set():
                with suppress(httpx.TransportError):  # the hub is dead just now
                    self._handle_one(self._client)
                self._leaving.wait(PAUSE_S)
        except BaseException as error:
            self.failure = error

    def _handle_one(self, client: httpx.Client) -> None:
        answer = client.get("/api/v1/incidents", params={"state": "live", "limit": 5})
        if not self._well(answer):
            return
        for incident in answer.json()["items"][:1]:
            place = f"/api/v1/incidents/{incident['id']}"
            if incident["state"] == "open" and not self._well(client.post(f"{place}/acknowledge", json={})):
                return
            body = {"disposition": "test", "summary": "chaos"}
            if self._well(client.post(f"{place}/close", json=body)):
                self.closed += 1

    def _well(self, answer: httpx.Response) -> bool:
        """409: somebody, perhaps this desk before the hub died, was first. 503: the database is away."""
        body: Any = answer.text
        assert answer.status_code in (200, 409, 503), f"{answer.request.url}: {answer.status_code} {body}"
        return answer.status_code == 200
