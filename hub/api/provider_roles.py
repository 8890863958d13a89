"""What an account of a provider may call: one literal list beside the table of roles. Whatever is not here is closed.

A provider's coordinator or supervisor sees its own residents, staff, orders, visits, routes, meals, claims and
reports, never another provider's and never an emergency: those stay with the district's desk. Which rows are theirs is
decided in `hub.api.scope`, `hub.api.provider_days` and by the `provider` condition of the reads. To open an endpoint:
filter its rows first, then add it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["OF_PROVIDERS", "open_to_providers"]

_P = "/api/v1"


def _get(*paths: str) -> set[tuple[str, str]]:
    return {("GET", f"{_P}/{path}") for path in paths}


def _post(*paths: str) -> set[tuple[str, str]]:
    return {("POST", f"{_P}/{path}") for path in paths}


OF_PROVIDERS: Final[frozenset[tuple[str, str]]] = frozenset(
    # --- one's own session; what every page must know and says nothing of anybody
    _get("session", "site", "service-kinds", "my/push")
    | _get("areas", "areas/{record_id}", "stations", "stations/{record_id}")
    | {("POST", f"{_P}/session"), ("PATCH", f"{_P}/session"), ("DELETE", f"{_P}/session")}
    | _post("my/push", "my/push/remove")
    # --- empty for them: the console's frame asks for these
    | _get("incidents", "summary", "presence")
    # --- rows of the own provider
    | _get("residents", "residents/{resident_id}", "contacts", "contacts/{record_id}")
    | _get("responders", "responders/{record_id}", "crews", "crews/{record_id}", "shifts", "shifts/{record_id}")
    | _get("care-plans", "care-plans/{plan_id}", "care-plans/{plan_id}/occurrences")
    | _get("orders", "orders/{order_id}", "orders/{order_id}/candidates", "visits/{visit_id}")
    | _post("orders/{order_id}/assign", "orders/{order_id}/cancel")
    # They see which checks of theirs were doubted; whether to believe them is the district's to say.
    | _get("visit-checks", "visit-checks/{check_id}")
    | _get("assignments/{assignment_id}", "assignments/{assignment_id}/photos", "photos/{photo_id}")
    # --- what was published of a day, and what their own stations cook; never a proposal, never to change anything
    | _get("plans", "plans/{plan_id}", "plans/{plan_id}/visits/{visit_id}/why", "routes")
    | _get("meal-dishes", "meal-dishes/{record_id}", "meals/menus", "meals/day", "meals/list", "meals/unanswered")
    | _get("meals/rounds", "meals/rounds/{round_id}")
    | _get("stream", "changes")
    # --- reports on services, counted within the own provider
    | _get("reports/services", "reports/services/definitions", "reports/services/orders")
    | _get("reports/services/coverage")
    | _get("reports/services/residents", "reports/services/continuity", "reports/services/travel")
    | _get("reports/services/routes")
    # --- money and banked hours
    | _get("providers", "providers/{record_id}", "tariffs", "tariffs/{record_id}")
    | _get("entitlements", "entitlements/{record_id}")
    | _get("settlements", "settlements/months", "settlements/statement", "settlements/export", "settlements/disputes")
    | _get("settlements/{claim_id}")
    | _post("settlements", "settlements/preview", "settlements/close")
    | _post("settlements/{claim_id}/review", "settlements/{claim_id}/disputes")
    | _get("time-bank", "time-bank/accounts/{account_id}", "time-bank/waiting")
    | _post("time-bank/visits/{visit_id}/review")
)


def open_to_providers(method: str, template: str) -> bool:
    """Whether an account of a provider may call the operation at all, where its role may."""
    return (method, template) in OF_PROVIDERS
