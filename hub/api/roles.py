"""Who may do what: one literal table, method and path against roles. Nothing is allowed that is not written here.

To add an endpoint: add its route and its line. The start fails while either is missing. What of the allowed things a
person may see (own tasks, own resident) is decided by rows in `hub.api.scope`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, get_args

from hub.ports import Role

__all__ = ["ROLES", "TABLE", "Access", "allowed"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
Access = frozenset[Role] | Literal["public"]

_EVERYONE: Final[frozenset[Role]] = frozenset(ROLES)
_CONSOLE: Final[frozenset[Role]] = frozenset({"operator", "coordinator", "supervisor", "admin"})
_READERS: Final[frozenset[Role]] = _CONSOLE | {"integrator"}
_HANDLERS: Final[frozenset[Role]] = frozenset({"operator", "supervisor", "admin"})
_SUPERVISORS: Final[frozenset[Role]] = frozenset({"supervisor", "admin"})
_PLANNERS: Final[frozenset[Role]] = _CONSOLE
_KEEPERS: Final[frozenset[Role]] = frozenset({"coordinator", "supervisor", "admin"})
_STAFF: Final[frozenset[Role]] = frozenset({"staff"})
_HOME: Final[frozenset[Role]] = frozenset({"family", "resident"})
_ADMIN: Final[frozenset[Role]] = frozenset({"admin"})

_P = "/api/v1"


def _records(name: str, read: Access, write: Access) -> dict[tuple[str, str], Access]:
    """The four lines of a plain table of records."""
    return {
        ("GET", f"{_P}/{name}"): read,
        ("POST", f"{_P}/{name}"): write,
        ("GET", f"{_P}/{name}/{{record_id}}"): read,
        ("PATCH", f"{_P}/{name}/{{record_id}}"): write,
    }


TABLE: Final[Mapping[tuple[str, str], Access]] = {
    # --- sessions
    ("POST", f"{_P}/session"): "public",
    ("GET", f"{_P}/session"): _EVERYONE,
    ("PATCH", f"{_P}/session"): _EVERYONE,
    ("DELETE", f"{_P}/session"): _EVERYONE,
    # --- alarms and incidents
    ("GET", f"{_P}/alarms"): _READERS,
    ("POST", f"{_P}/alarms"): _EVERYONE,
    ("GET", f"{_P}/incidents"): _READERS | _STAFF,
    ("GET", f"{_P}/incidents/{{incident_id}}"): _READERS | _STAFF,
    ("GET", f"{_P}/incidents/{{incident_id}}/timeline"): _READERS | _STAFF,
    ("GET", f"{_P}/incidents/{{incident_id}}/candidates"): _CONSOLE,
    ("GET", f"{_P}/incidents/{{incident_id}}/loop"): _READERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/acknowledge"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/release"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/assign"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/transfer"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/escalate"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/note"): _CONSOLE,
    ("POST", f"{_P}/incidents/{{incident_id}}/shelve"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/unshelve"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/touch"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/close"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/reopen"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/supervise"): _SUPERVISORS,
    # --- assignments: the responder, or an operator for one
    ("GET", f"{_P}/assignments/{{assignment_id}}"): _READERS | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/accept"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/decline"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/en-route"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/on-scene"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/all-well"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/complete"): _CONSOLE | _STAFF,
    # --- calls
    ("GET", f"{_P}/calls"): _CONSOLE,
    ("POST", f"{_P}/calls"): _CONSOLE,
    ("GET", f"{_P}/calls/{{call_id}}"): _CONSOLE,
    ("PATCH", f"{_P}/calls/{{call_id}}"): _CONSOLE,
    ("POST", f"{_P}/calls/incoming"): frozenset({"integrator"}),
    # --- answers to notices: the token in the address is the proof, a gateway brings its secret besides
    ("GET", "/t/{token}"): "public",
    ("POST", "/t/{token}"): "public",
    ("POST", f"{_P}/voice/{{token}}"): "public",
    # --- notices and webhooks
    ("GET", f"{_P}/notices"): _CONSOLE,
    ("GET", f"{_P}/notices/{{notice_id}}"): _CONSOLE,
    ("GET", f"{_P}/notify"): _CONSOLE,
    ("POST", f"{_P}/notify/test"): _ADMIN,
    ("GET", f"{_P}/webhooks"): _ADMIN,
    ("POST", f"{_P}/webhooks"): _ADMIN,
    ("GET", f"{_P}/webhooks/{{webhook_id}}"): _ADMIN,
    ("PATCH", f"{_P}/webhooks/{{webhook_id}}"): _ADMIN,
    ("DELETE", f"{_P}/webhooks/{{webhook_id}}"): _ADMIN,
    ("POST", f"{_P}/webhooks/{{webhook_id}}/rotate"): _ADMIN,
    ("POST", f"{_P}/webhooks/{{webhook_id}}/test"): _ADMIN,
    ("GET", f"{_P}/webhooks/{{webhook_id}}/deliveries"): _ADMIN,
    ("POST", f"{_P}/webhooks/{{webhook_id}}/deliveries/{{delivery_id}}/redeliver"): _ADMIN,
    # --- the desk: who looks at what, the end of a shift, what supervisors count
    ("GET", f"{_P}/site"): _CONSOLE,
    ("GET", f"{_P}/presence"): _CONSOLE,
    ("POST", f"{_P}/presence"): _CONSOLE,
    ("POST", f"{_P}/desk/sound-test"): _CONSOLE,
    ("GET", f"{_P}/desk/seats"): _CONSOLE,
    ("GET", f"{_P}/handovers"): _CONSOLE,
    ("POST", f"{_P}/handovers"): _HANDLERS,
    ("GET", f"{_P}/handovers/{{handover_id}}"): _CONSOLE,
    ("POST", f"{_P}/handovers/{{handover_id}}/sign"): _HANDLERS,
    ("POST", f"{_P}/handovers/{{handover_id}}/accept"): _HANDLERS,
    ("POST", f"{_P}/handovers/{{handover_id}}/cancel"): _HANDLERS,
    ("GET", f"{_P}/reports/responses"): _CONSOLE,
    ("GET", f"{_P}/reports/closed-loop"): _CONSOLE,
    ("GET", f"{_P}/reports/load"): _CONSOLE,
    ("GET", f"{_P}/reports/devices"): _CONSOLE,
    ("GET", f"{_P}/reports/counts"): _CONSOLE,
    ("GET", f"{_P}/reports/incidents"): _CONSOLE,
    # --- people, places, things
    ("GET", f"{_P}/residents"): _READERS,
    ("POST", f"{_P}/residents"): _KEEPERS,
    ("GET", f"{_P}/residents/{{resident_id}}"): _EVERYONE,
    ("PATCH", f"{_P}/residents/{{resident_id}}"): _CONSOLE,
    ("POST", f"{_P}/residents/{{resident_id}}/status"): _CONSOLE,
    ("POST", f"{_P}/residents/{{resident_id}}/reveal"): _CONSOLE,
    ("GET", f"{_P}/residents/{{resident_id}}/observations"): _READERS,
    ("GET", f"{_P}/residents/{{resident_id}}/baseline"): _READERS,
    ("GET", f"{_P}/residents/{{resident_id}}/thresholds"): _READERS,
    ("PATCH", f"{_P}/residents/{{resident_id}}/thresholds"): _KEEPERS,
    ("GET", f"{_P}/residents/{{resident_id}}/geofences"): _READERS,
    ("PATCH", f"{_P}/residents/{{resident_id}}/geofences"): _KEEPERS,
    ("POST", f"{_P}/residents/{{resident_id}}/vitals"): _CONSOLE | _STAFF,
    **_records("contacts", _CONSOLE, _CONSOLE),
    **_records("areas", _READERS | _STAFF, _KEEPERS),
    **_records("stations", _READERS | _STAFF, _KEEPERS),
    **_records("responders", _READERS, _KEEPERS),
    **_records("crews", _READERS, _KEEPERS),
    **_records("shifts", _READERS, _KEEPERS),
    ("DELETE", f"{_P}/shifts/{{record_id}}"): _KEEPERS,
    # --- the rota
    ("GET", f"{_P}/rota"): _READERS,
    ("GET", f"{_P}/rota/gaps"): _READERS,
    ("GET", f"{_P}/rota/on-call"): _READERS,
    **_records("rotations", _READERS, _KEEPERS),
    ("POST", f"{_P}/rotations/preview"): _KEEPERS,
    **_records("rota-cover", _READERS, _KEEPERS),
    **_records("holidays", _READERS, _KEEPERS),
    ("POST", f"{_P}/rota/overrides"): _KEEPERS,
    ("POST", f"{_P}/rota/overrides/{{override_id}}/withdraw"): _KEEPERS,
    ("GET", f"{_P}/rota/swaps"): _CONSOLE,
    ("POST", f"{_P}/rota/swaps"): _KEEPERS | _STAFF,
    ("POST", f"{_P}/rota/swaps/{{swap_id}}/agree"): _STAFF,
    ("POST", f"{_P}/rota/swaps/{{swap_id}}/decline"): _STAFF,
    ("POST", f"{_P}/rota/swaps/{{swap_id}}/withdraw"): _STAFF,
    ("POST", f"{_P}/rota/swaps/{{swap_id}}/approve"): _KEEPERS,
    ("POST", f"{_P}/rota/swaps/{{swap_id}}/refuse"): _KEEPERS,
    ("GET", f"{_P}/devices"): _READERS,
    ("POST", f"{_P}/devices"): _KEEPERS,
    ("GET", f"{_P}/devices/{{device_id}}"): _READERS,
    ("PATCH", f"{_P}/devices/{{device_id}}"): _KEEPERS,
    ("POST", f"{_P}/devices/{{device_id}}/commands"): _CONSOLE | {"integrator"},
    ("GET", f"{_P}/devices/{{device_id}}/commands"): _READERS,
    ("GET", f"{_P}/devices/{{device_id}}/commands/{{command_id}}"): _READERS,
    # --- bringing devices in
    ("GET", f"{_P}/onboarding/devices"): _KEEPERS,
    ("GET", f"{_P}/onboarding/unread"): _KEEPERS,
    ("GET", f"{_P}/onboarding/devices/{{device_id}}"): _KEEPERS,
    ("GET", f"{_P}/onboarding/devices/{{device_id}}/uplinks"): _KEEPERS,
    ("GET", f"{_P}/onboarding/devices/{{device_id}}/conformance"): _KEEPERS,
    ("POST", f"{_P}/onboarding/devices/{{device_id}}/watch"): _ADMIN,
    ("DELETE", f"{_P}/onboarding/devices/{{device_id}}/watch"): _ADMIN,
    ("GET", f"{_P}/onboarding/integrations"): _ADMIN,
    ("POST", f"{_P}/onboarding/integrations"): _ADMIN,
    ("POST", f"{_P}/onboarding/integrations/{{name}}/revoke"): _ADMIN,
    # --- makers' clouds: proved by a secret or a signature of their own, never by an account
    ("GET", f"{_P}/intake/{{family}}"): "public",
    ("POST", f"{_P}/intake/{{family}}"): "public",
    ("POST", f"{_P}/devices/claim"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/devices/{{device_id}}/claim"): _KEEPERS,
    ("POST", f"{_P}/devices/{{device_id}}/rotate"): _KEEPERS,
    ("POST", f"{_P}/devices/{{device_id}}/revoke"): _KEEPERS,
    ("POST", f"{_P}/devices/{{device_id}}/restore"): _KEEPERS,
    # Asked by the broker with a secret of its own; without that secret everything is denied.
    ("POST", f"{_P}/broker/auth"): "public",
    ("POST", f"{_P}/broker/acl"): "public",
    ("GET", f"{_P}/device-profiles"): _READERS,
    ("POST", f"{_P}/device-profiles"): _ADMIN,
    ("GET", f"{_P}/device-profiles/{{profile_id}}"): _READERS,
    ("PATCH", f"{_P}/device-profiles/{{profile_id}}"): _ADMIN,
    # --- response plans, and the plan of one incident
    ("GET", f"{_P}/response-plans"): _READERS,
    ("POST", f"{_P}/response-plans"): _SUPERVISORS,
    ("GET", f"{_P}/response-plans/{{plan_id}}"): _READERS,
    ("PATCH", f"{_P}/response-plans/{{plan_id}}"): _SUPERVISORS,
    ("GET", f"{_P}/response-plans/{{plan_id}}/versions"): _READERS,
    ("POST", f"{_P}/response-plans/{{plan_id}}/reset"): _SUPERVISORS,
    ("GET", f"{_P}/incidents/{{incident_id}}/plan"): _CONSOLE,
    ("POST", f"{_P}/incidents/{{incident_id}}/plan/skip"): _HANDLERS,
    ("POST", f"{_P}/incidents/{{incident_id}}/plan/voice"): _HANDLERS,
    ("GET", f"{_P}/technical-work"): _READERS,
    ("POST", f"{_P}/technical-work/{{incident_id}}/repair"): _PLANNERS,
    # --- services
    ("GET", f"{_P}/service-kinds"): _EVERYONE,
    ("GET", f"{_P}/orders"): _READERS | _HOME,
    ("POST", f"{_P}/orders"): _PLANNERS | _HOME | {"integrator"},
    ("GET", f"{_P}/orders/{{order_id}}"): _READERS | _STAFF | _HOME,
    ("GET", f"{_P}/orders/{{order_id}}/candidates"): _PLANNERS,
    ("POST", f"{_P}/orders/{{order_id}}/assign"): _PLANNERS,
    ("POST", f"{_P}/orders/{{order_id}}/cancel"): _PLANNERS | _HOME | {"integrator"},
    ("GET", f"{_P}/visits/{{visit_id}}"): _READERS | _STAFF | _HOME,
    ("POST", f"{_P}/visits/{{visit_id}}/accept"): _STAFF,
    ("POST", f"{_P}/visits/{{visit_id}}/decline"): _STAFF,
    ("POST", f"{_P}/visits/{{visit_id}}/start"): _STAFF,
    ("POST", f"{_P}/visits/{{visit_id}}/check-in"): _STAFF,
    ("POST", f"{_P}/visits/{{visit_id}}/check-out"): _STAFF,
    # --- one's own
    ("GET", f"{_P}/my/tasks"): _STAFF,
    ("GET", f"{_P}/my/help"): _HOME,
    ("POST", f"{_P}/my/help"): _HOME,
    ("GET", f"{_P}/my/shifts"): _STAFF,
    ("GET", f"{_P}/my/push"): _EVERYONE - {"integrator"},
    ("POST", f"{_P}/my/push"): _EVERYONE - {"integrator"},
    ("POST", f"{_P}/my/push/remove"): _EVERYONE - {"integrator"},
    ("POST", f"{_P}/my/sos"): _STAFF,
    ("POST", f"{_P}/my/status"): _HOME,
    ("GET", f"{_P}/my/consents"): _HOME,
    ("POST", f"{_P}/my/consents"): frozenset({"resident"}),
    ("GET", f"{_P}/consents"): _CONSOLE,
    ("GET", f"{_P}/residents/{{resident_id}}/consents"): _CONSOLE,
    ("POST", f"{_P}/residents/{{resident_id}}/consents"): _CONSOLE,
    ("GET", f"{_P}/assignments/{{assignment_id}}/photos"): _CONSOLE | _STAFF,
    ("POST", f"{_P}/assignments/{{assignment_id}}/photos"): _CONSOLE | _STAFF,
    ("GET", f"{_P}/photos/{{photo_id}}"): _CONSOLE | _STAFF,
    # --- the code of an area: whoever scanned it may say what they saw, and nothing else
    ("GET", f"{_P}/area-codes"): _KEEPERS,
    ("GET", f"{_P}/areas/{{record_id}}/code"): _KEEPERS,
    ("POST", f"{_P}/areas/{{record_id}}/code"): _KEEPERS,
    ("DELETE", f"{_P}/areas/{{record_id}}/code"): _KEEPERS,
    ("GET", f"{_P}/q/{{code}}"): "public",
    ("POST", f"{_P}/q/{{code}}"): "public",
    # --- the wall: a screen proves itself by a token of its own; it sees no names
    ("GET", f"{_P}/wall"): "public",
    ("GET", f"{_P}/wall/areas"): "public",
    ("GET", f"{_P}/wall-screens"): _SUPERVISORS,
    ("POST", f"{_P}/wall-screens"): _SUPERVISORS,
    ("DELETE", f"{_P}/wall-screens/{{screen_id}}"): _SUPERVISORS,
    # --- how loaded the desk is
    ("GET", f"{_P}/load"): _CONSOLE,
    ("GET", f"{_P}/reports/path-tests"): _CONSOLE,
    ("POST", f"{_P}/path-tests"): _SUPERVISORS,
    ("GET", f"{_P}/reports/operator-load"): _CONSOLE,
    ("GET", f"{_P}/reports/bad-actors"): _CONSOLE,
    # --- silences and maintenance windows
    ("GET", f"{_P}/silences"): _CONSOLE,
    ("POST", f"{_P}/silences"): _CONSOLE,
    ("GET", f"{_P}/silences/{{window_id}}"): _CONSOLE,
    ("POST", f"{_P}/silences/{{window_id}}/end"): _CONSOLE,
    # --- live
    ("GET", f"{_P}/summary"): _READERS,
    ("GET", f"{_P}/stream"): _EVERYONE,
    ("GET", f"{_P}/changes"): _EVERYONE,
    # --- administration
    ("GET", f"{_P}/users"): _ADMIN,
    ("POST", f"{_P}/users"): _ADMIN,
    ("GET", f"{_P}/users/{{user_id}}"): _ADMIN,
    ("PATCH", f"{_P}/users/{{user_id}}"): _ADMIN,
    ("POST", f"{_P}/users/{{user_id}}/tokens"): _ADMIN,
    ("DELETE", f"{_P}/users/{{user_id}}/sessions"): _ADMIN,
    ("GET", f"{_P}/audit"): _SUPERVISORS,
    ("GET", f"{_P}/quarantine"): _SUPERVISORS,
    ("GET", f"{_P}/quarantine/{{quarantine_id}}"): _SUPERVISORS,
    ("POST", f"{_P}/quarantine/{{quarantine_id}}/replay"): _SUPERVISORS,
    ("POST", f"{_P}/quarantine/{{quarantine_id}}/discard"): _SUPERVISORS,
    # --- for machines that watch machines; they say nothing about people
    ("GET", "/healthz"): "public",
    ("GET", "/readyz"): "public",
    ("GET", "/metrics"): "public",
}


def allowed(method: str, template: str, role: Role | None) -> bool:
    """Whether the role (None: nobody signed in) may call the operation at all."""
    access = TABLE.get((method, template), frozenset[Role]())
    return access == "public" or (role is not None and role in access)
