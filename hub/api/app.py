"""The face of the HTTP room: `create_api` puts the parts together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from importlib.metadata import PackageNotFoundError, version
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Gauge

from hub.api import (
    problems,
    routes_admin,
    routes_aftercare,
    routes_alarms,
    routes_answers,
    routes_assignments,
    routes_bulk,
    routes_calls,
    routes_care_plans,
    routes_credentials,
    routes_day_plans,
    routes_desk,
    routes_device_files,
    routes_devices,
    routes_handovers,
    routes_home,
    routes_incidents,
    routes_intake,
    routes_live,
    routes_load,
    routes_meal_rounds,
    routes_meals,
    routes_medical,
    routes_my,
    routes_notices,
    routes_onboarding,
    routes_ops,
    routes_patrol,
    routes_photos,
    routes_places,
    routes_profiles,
    routes_programmes,
    routes_providers,
    routes_public,
    routes_quarantine,
    routes_registers,
    routes_report_lists,
    routes_reports,
    routes_residents,
    routes_response_plans,
    routes_rota,
    routes_rules,
    routes_service_reports,
    routes_services,
    routes_session,
    routes_settlement,
    routes_staff,
    routes_technical,
    routes_time_bank,
    routes_visits,
    routes_wall,
    routes_webhooks,
    routes_windows,
)
from hub.api.deps import Hub, guard
from hub.api.frame import Frame
from hub.api.gate import Gate
from hub.api.openapi import docs_page, install_openapi
from hub.api.public_gate import PublicGate
from hub.api.roles import TABLE
from hub.api.sessions import SessionBook
from hub.api.signin import LIMITS, Limit, SignIn
from hub.clock import Clock, IdSource, new_id
from hub.feed import Feed
from hub.ports import Database, Json, Reads
from hub.service import Services
from hub.settings import Settings

__all__ = ["ROUTERS", "check_table", "create_api"]

ROUTERS: tuple[APIRouter, ...] = (
    routes_session.router,
    routes_incidents.router,
    routes_bulk.router,
    routes_assignments.router,
    routes_alarms.router,
    routes_calls.router,
    routes_answers.pages,
    routes_answers.router,
    routes_notices.router,
    routes_webhooks.router,
    routes_desk.router,
    routes_handovers.router,
    routes_reports.router,
    routes_report_lists.router,
    routes_residents.router,
    routes_response_plans.router,
    routes_rules.router,
    routes_places.router,
    routes_credentials.router,
    routes_device_files.router,
    routes_devices.router,
    routes_profiles.router,
    routes_technical.router,
    routes_windows.router,
    routes_load.router,
    routes_onboarding.router,
    routes_intake.router,
    routes_staff.router,
    routes_rota.router,
    routes_day_plans.router,
    routes_service_reports.router,
    routes_services.router,
    routes_providers.router,
    routes_settlement.router,
    routes_time_bank.router,
    routes_care_plans.router,
    routes_aftercare.router,
    routes_programmes.router,
    routes_meals.router,
    routes_meal_rounds.router,
    routes_medical.router,
    routes_visits.router,
    routes_my.router,
    routes_home.router,
    routes_photos.router,
    routes_public.router,
    routes_live.router,
    routes_admin.router,
    routes_quarantine.router,
    routes_registers.router,
    routes_wall.router,
    routes_ops.router,
    routes_patrol.router,
)


def create_api(
    *,
    database: Database,
    reads: Reads,
    services: Services,
    feed: Feed,
    settings: Settings,
    clock: Clock,
    readiness: Callable[[], Json],
    registry: CollectorRegistry,
    new_id: IdSource = new_id,
    zone: tzinfo | None = None,
    throttle: tuple[Limit, ...] = LIMITS,
    retention_days: Mapping[str, int] | None = None,
) -> FastAPI:
    """The application. The feed is started and closed by the caller; pages are mounted by the caller, afterwards.

    `zone`: where a day of orders begins; None: the site's. `retention_days`: how long what is kept, for the pages.
    `readiness` gives `{"ready": bool, …}` with one member a part. Raises RuntimeError where a route and the table of
    roles disagree.
    """
    app = FastAPI(
        title="care-hub",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(guard)],
    )
    app.state.hub = Hub(
        database=database,
        reads=reads,
        services=services,
        feed=feed,
        settings=settings,
        clock=clock,
        new_id=new_id,
        zone=zone or ZoneInfo(settings.site.time_zone),
        sessions=SessionBook(database, clock),
        sign_in=SignIn(database, clock, throttle),
        readiness=readiness,
        registry=registry,
        gate=Gate(),
        public_gate=PublicGate(),
        retention_days=dict(retention_days or {}),
    )
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    check_table(ROUTERS)
    install_openapi(app, _version())
    if settings.http.docs:

        def docs() -> Response:
            return Response(docs_page(app.openapi), media_type="text/html; charset=utf-8")

        app.add_route("/api/v1/docs", lambda _request: docs(), include_in_schema=False)
    Gauge("hub_stream_subscribers", "Open streams", registry=registry).set_function(lambda: feed.subscribers)
    Gauge("hub_feed_dark", "1 while the live feed cannot read the database", registry=registry).set_function(
        lambda: float(feed.dark)
    )
    app.add_middleware(Frame, registry=registry, new_id=new_id)
    return app


def check_table(routers: tuple[APIRouter, ...]) -> None:
    """RuntimeError where a route has no line in the table of roles, or a line no route."""
    routed = {
        (method, route.path)
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    missing, idle = sorted(routed - TABLE.keys()), sorted(TABLE.keys() - routed)
    if missing or idle:
        raise RuntimeError(f"hub.api.roles and the routes disagree: without a line {missing}, without a route {idle}")


def _version() -> str:
    try:
        return version("care-hub")
    except PackageNotFoundError:
        return "0"
