"""The outer frame of every request: an id for the log, a limit for the body, headers that keep browsers careful,
numbers for Prometheus, a problem document for whatever nobody expected. Plain ASGI, so that streams pass untouched.
"""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.problems import problem
from hub.clock import IdSource, monotonic
from hub.wording import language_of

__all__ = ["MAX_BODY", "Frame"]

MAX_BODY = 1024 * 1024
FILE_BODY = 12 * 1024 * 1024
"""Where people's files come in: a district's grids with their boundaries, ten thousand residents."""
_FILES = "/api/v1/registers/"
_log = logging.getLogger("hub.api")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), payment=(), geolocation=(self)",
    # Map tiles may come from a site's own tile server; everything else from here. Vue and Leaflet set style attributes.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data: blob: https:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
}


class _TooLargeError(Exception):
    """The body passed the limit while it was read."""


def _shown(path: str) -> str:
    """The path for the log: without the token of a link, which is a proof of its own."""
    for head in ("/t/", "/api/v1/voice/", "/api/v1/q/", "/q/"):
        if path.startswith(head):
            return head + "…"
    return path


class Frame:
    """ASGI middleware; the outermost of the application."""

    def __init__(
        self, app: ASGIApp, *, registry: CollectorRegistry, new_id: IdSource, max_body: int = MAX_BODY
    ) -> None:
        self._app = app
        self._new_id = new_id
        self._max_body = max_body
        self._requests = Counter(
            "hub_http_requests_total", "Requests answered", ("method", "route", "status"), registry=registry
        )
        self._seconds = Histogram(
            "hub_http_request_seconds",
            "Time until the answer began",
            ("method", "route"),
            registry=registry,
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked = headers.get("x-request-id", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        began = monotonic()
        started = False
        too_large = False
        read = 0

        async def counted() -> Message:
            nonlocal read, too_large
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > most:
                    too_large = True
                    raise _TooLargeError
            return message

        async def framed(message: Message) -> None:
            nonlocal started
            if too_large and not started:
                # Whoever read the body took this for a broken one; the true answer comes below.
                raise _TooLargeError
            if message["type"] == "http.response.start" and not started:
                started = True
                self._dress(scope, message, request_id, monotonic() - began)
            await send(message)

        most = max(self._max_body, FILE_BODY) if scope["path"].startswith(_FILES) else self._max_body
        try:
            declared = headers.get("content-length", "0")
            if not declared.isdigit() or int(declared) > most:
                raise _TooLargeError
            await self._app(scope, counted, framed)
        except _TooLargeError:
            if started:
                raise
            too_large = False
            detail = f"the body is larger than {most} bytes"
            # The rest of the body is not read, so the connection cannot be used again.
            await problem(
                413, detail, language=language_of(headers.get("accept-language")), headers={"Connection": "close"}
            )(scope, receive, framed)
        except Exception:
            _log.exception("%s %s failed", scope["method"], _shown(scope["path"]), extra={"request_id": request_id})
            if started:
                raise
            detail = f"something went wrong here; it is in the log under the request id {request_id}"
            await problem(500, detail, language=language_of(headers.get("accept-language")), request_id=request_id)(
                scope, receive, framed
            )

    def _dress(self, scope: Scope, message: MutableMapping[str, Any], request_id: str, seconds: float) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if scope.get("scheme") == "https":
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        headers["X-Request-Id"] = request_id
        if scope["path"].startswith("/api/"):
            headers.setdefault("Cache-Control", "no-store")
        route = getattr(scope.get("route"), "path", None) or "other"
        status = message["status"]
        self._requests.labels(scope["method"], route, str(status)).inc()
        self._seconds.labels(scope["method"], route).observe(seconds)
        _log.log(
            logging.WARNING if status >= 500 else logging.DEBUG,
            "%s %s %s %.1f ms",
            scope["method"],
            _shown(scope["path"]),
            status,
            seconds * 1000,
            extra={"request_id": request_id, "status": status, "ms": round(seconds * 1000, 1)},
        )
