"""What a process without the API answers: that it lives, whether it can work, and its numbers. Nothing else."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.api.answers import JsonAnswer
from hub.ports import Json

__all__ = ["create_status"]


def create_status(readiness: Callable[[], Json], registry: CollectorRegistry) -> Starlette:
    """`/healthz`, `/readyz` and `/metrics` as the API has them (docs/operations.md, "Is it well?")."""

    async def healthz(_request: Request) -> Response:
        return JsonAnswer({"ok": True})

    # Not coroutines: they look at the database, in a thread of their own.
    def readyz(_request: Request) -> Response:
        body = readiness()
        return JsonAnswer(body, status_code=200 if body.get("ready") else 503)

    def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])
