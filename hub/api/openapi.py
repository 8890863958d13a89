"""The OpenAPI document: FastAPI's, with what the code knows beside it (roles, sign-in, problem documents); and a plain
page that shows it without a script or anybody else's server.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hub.api.roles import ROLES, TABLE
from hub.api.views import Problem
from hub.ports import Json

__all__ = ["build_openapi", "docs_page", "install_openapi"]

_PROBLEMS = {
    "401": "Nobody is signed in",
    "403": "Not allowed",
    "404": "There is no such thing, or this person may not know of it",
    "409": "The state rules do not allow it any more; says who was first and when",
    "412": "Not on the version of If-Match",
    "413": "The body is too large",
    "422": "The request's words are wrong; `field` says where",
    "429": "Too many attempts; Retry-After",
    "503": "A part it needs is away; nothing was done",
}
_METHODS = ("get", "post", "patch", "put", "delete")


def _codes(method: str, path: str, public: bool) -> list[str]:
    codes = ["422", "503"]
    if not public:
        codes += ["401", "403"]
    if "{" in path:
        codes.append("404")
    if method in ("post", "patch"):
        codes += ["413"] if path.endswith("/session") and method == "post" else ["404", "409", "412", "413"]
    if path.endswith("/session") and method == "post":
        codes += ["401", "403", "429"]
    if "/intake/" in path:  # no account and no version: a proof of its own, and a limit
        codes = ["401", "404", "413", "422", "429", "503"]
    if path.startswith("/t/") or "/voice/" in path:  # no account: the token is the proof
        codes = ["403", "404", "422", "429", "503"]
    if path.endswith(("/wall", "/wall/areas")):  # no account: a screen's own token
        codes = ["401", "429", "503"]
    return sorted(set(codes))


def build_openapi(app: FastAPI, version: str) -> Json:
    """The whole document."""
    document = get_openapi(
        title="care-hub",
        version=version,
        summary="Event hub for the care of older people living at home",
        description="Errors are RFC 9457 problem documents. Times are RFC 3339 with offset. Ids are opaque strings. "
        "`x-roles` says who may call an operation; rows may narrow it further.",
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": "hub_session"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, operations in document["paths"].items():
        for method in _METHODS:
            operation: dict[str, Any] | None = operations.get(method)
            if operation is None:
                continue
            access = TABLE.get((method.upper(), path), frozenset())
            public = access == "public"
            operation["x-roles"] = ["public"] if public else [role for role in ROLES if role in access]
            operation["security"] = [] if public else [{"session": []}, {"bearer": []}]
            responses = operation.setdefault("responses", {})
            responses.pop("422", None)
            if path.startswith("/api/"):
                for code in _codes(method, path, public):
                    responses[code] = {"description": _PROBLEMS[code], "content": problem}
    return document


def install_openapi(app: FastAPI, version: str) -> None:
    """Makes it the application's document; built once, when first asked for."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = build_openapi(app, version)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]


def docs_page(document: Callable[[], Json]) -> str:
    """The document as one plain page."""
    spec = document()
    rows: list[str] = []
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            parameters = "".join(
                f"<li><code>{escape(field['name'])}</code> ({field['in']}) {escape(field.get('description', ''))}</li>"
                for field in operation.get("parameters", ())
            )
            rows.append(
                f"<details><summary><code>{method.upper()} {escape(path)}</code> {escape(operation.get('summary', ''))}"
                f"</summary><p>{escape(operation.get('description', ''))}</p>"
                f"<p>{escape(', '.join(operation.get('x-roles', ())))}</p><ul>{parameters}</ul></details>"
            )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>care-hub API</title>'
        '<meta name="viewport" content="width=device-width"><h1>care-hub API</h1>'
        f'<p><a href="openapi.json">openapi.json</a></p>{"".join(rows)}</html>'
    )
