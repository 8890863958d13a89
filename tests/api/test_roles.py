"""The table role x endpoint, over the whole OpenAPI document: every operation, every role, and nobody."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from hub.api.app import ROUTERS, check_table
from hub.api.roles import ROLES, TABLE, allowed
from hub.ports import Role
from tests.api.desk import SAME, Desk, Json

ACCOUNT: dict[Role, str] = {
    "operator": "zhoumin",
    "staff": "sunwei",
    "coordinator": "coord",
    "supervisor": "fanglei",
    "admin": "boss",
    "integrator": "bridge",
    "family": "chenjing",
    "resident": "chenxiuying",
}
# Signing in, and makers' clouds: what they repeat is known by what is in it.
WITHOUT_KEY = {
    ("POST", "/api/v1/session"),
    ("POST", "/api/v1/intake/{family}"),
    ("POST", "/api/v1/broker/auth"),
    ("POST", "/api/v1/broker/acl"),
    ("POST", "/api/v1/q/{code}"),
    ("POST", "/t/{token}"),
    ("POST", "/api/v1/voice/{token}"),
}
NEEDED_QUERY = {
    "/api/v1/residents/{resident_id}/observations": {"metric": "heart_rate_bpm"},
    "/api/v1/changes": {"wait": "0"},
}


@pytest.fixture(scope="module")
def document(shared: Desk) -> Json:
    answer = httpx.get(f"{shared.base}/api/v1/openapi.json", timeout=60)
    assert answer.status_code == 200
    body: Json = answer.json()
    return body


@pytest.fixture(scope="module")
def seats(shared: Desk) -> dict[Role | None, httpx.Client]:
    seats: dict[Role | None, httpx.Client] = {None: shared.anonymous(**SAME)}
    for role in ROLES:
        seats[role] = shared.seat(ACCOUNT[role])
    return seats


def operations(document: Json) -> list[tuple[str, str]]:
    return [
        (method.upper(), path)
        for path, found in document["paths"].items()
        for method in found
        if method in ("get", "post", "patch", "put", "delete")
    ]


def call(client: httpx.Client, method: str, template: str) -> tuple[int, Json]:
    """Sends the operation with ids of nothing; gives status and problem document."""
    path = template
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + str(uuid4()) + rest.partition("}")[2]
    body: Json = {"json": {}} if method in ("POST", "PATCH") else {}
    request = client.build_request(method, path, params=NEEDED_QUERY.get(template), **body)
    answer = client.send(request, stream=True)
    try:
        if answer.headers.get("content-type", "").startswith("application/problem+json"):
            answer.read()
            return answer.status_code, answer.json()
        return answer.status_code, {}
    finally:
        answer.close()


def test_every_operation_of_the_document_has_its_line_and_the_other_way_round(document: Json) -> None:
    assert set(operations(document)) == set(TABLE)


def test_every_operation_for_every_role_and_for_nobody(
    shared: Desk, document: Json, seats: dict[Role | None, httpx.Client]
) -> None:
    wrong: list[str] = []
    for method, template in operations(document):
        for role in (None, *ROLES):
            client = seats[role]
            if (method, template) == ("DELETE", "/api/v1/session") and role is not None:
                client = shared.seat(ACCOUNT[role])
            status, body = call(client, method, template)
            may = allowed(method, template, role)
            kind = body.get("type")
            if may:
                refused = kind in ("urn:care-hub:forbidden", "urn:care-hub:unauthorized")
                fine = not refused and status < 500
            elif role is None:
                fine = status == 401 and kind == "urn:care-hub:unauthorized"
            else:
                fine = status == 403 and kind == "urn:care-hub:forbidden"
            if not fine:
                wrong.append(f"{role} {method} {template}: {status} {body}")
    assert not wrong, "\n".join(wrong)


def test_the_document_says_who_may(document: Json) -> None:
    for method, template in operations(document):
        operation = document["paths"][template][method.lower()]
        access = TABLE[method, template]
        if access == "public":
            assert operation["x-roles"] == ["public"]
            assert operation["security"] == []
        else:
            assert set(operation["x-roles"]) == set(access)
            assert operation["security"]


def test_every_write_takes_an_idempotency_key_and_if_match(document: Json) -> None:
    lacking = []
    for method, template in operations(document):
        if method not in ("POST", "PATCH") or (method, template) in WITHOUT_KEY:
            continue
        names = {one["name"].lower() for one in document["paths"][template][method.lower()].get("parameters", ())}
        if not {"idempotency-key", "if-match"} <= names:
            lacking.append(f"{method} {template}")
    assert not lacking


def test_the_document_is_complete(document: Json) -> None:
    for method, template in operations(document):
        operation = document["paths"][template][method.lower()]
        assert operation["summary"], template
        assert "HTTPValidationError" not in str(operation)
        if method in ("POST", "PATCH") and template.startswith("/api/"):
            content = operation["responses"]["422"]["content"]
            assert "application/problem+json" in content
    schemas = document["components"]["schemas"]
    assert "Problem" in schemas
    # No default is advertised where it means "stays as it is".
    for name in ("ResidentFields", "UserChange", "SessionChange"):
        assert all("default" not in field for field in schemas[name]["properties"].values()), name


def test_a_route_without_a_line_stops_the_start() -> None:
    stray = APIRouter(prefix="/api/v1")

    @stray.get("/stray")
    def nothing() -> None: ...

    with pytest.raises(RuntimeError, match="/api/v1/stray"):
        check_table((*ROUTERS, stray))
    with pytest.raises(RuntimeError, match="without a route"):
        check_table(ROUTERS[1:])


def test_a_route_that_slipped_past_the_table_is_closed(shared: Desk) -> None:
    app = FastAPI(dependencies=shared.app.router.dependencies)
    assert app.router.dependencies, "the guard must be on the application itself"
    assert not allowed("GET", "/api/v1/stray", "admin")
    assert not allowed("TRACE", "/api/v1/incidents", "admin")
