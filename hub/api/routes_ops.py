"""For machines that watch machines."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from hub.api.answers import JsonAnswer
from hub.api.deps import HubDep
from hub.api.views_records import Ready

__all__ = ["router"]

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="The process lives")
async def healthz() -> Response:
    return JsonAnswer({"ok": True})


@router.get("/readyz", response_model=Ready, summary="It can work", responses={503: {"description": "Not ready"}})
def readyz(hub: HubDep) -> Response:
    """503 while a part it needs is away; says which."""
    body = hub.readiness()
    return JsonAnswer(body, status_code=200 if body.get("ready") else 503)


@router.get("/metrics", summary="Prometheus", responses={200: {"content": {"text/plain": {}}}})
def metrics(hub: HubDep) -> Response:
    return Response(generate_latest(hub.registry), media_type=CONTENT_TYPE_LATEST)
