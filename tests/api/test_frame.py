"""The frame around every request; what happens to nonsense, and without a database."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from hub.api.callers import plain_number
from hub.api.frame import MAX_BODY
from hub.api.roles import TABLE
from hub.api.routes_session import is_loopback
from hub.api.writes import parse_version
from hub.clock import monotonic
from hub.embedded import EmbeddedPostgres
from hub.errors import BadRequestError
from tests.api.desk import Desk, Json, open_desk
from tests.waiting import wait_until

PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def boss(shared: Desk) -> httpx.Client:
    return shared.seat("boss")


def test_what_is_not_there_is_a_problem_document(shared: Desk, boss: httpx.Client) -> None:
    for client in (boss, shared.anonymous()):
        answer = client.get("/api/v1/nothing")
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
        assert answer.json()["instance"] == "/api/v1/nothing"
        answer = client.put("/api/v1/incidents", json={})
        assert (answer.status_code, answer.headers["content-type"]) == (405, PROBLEM)
        assert "GET" in answer.headers["allow"]


def test_every_answer_is_dressed(boss: httpx.Client) -> None:
    for path in ("/api/v1/incidents", "/api/v1/nothing", "/healthz"):
        answer = boss.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-request-id"]
        assert "server" not in answer.headers
    assert boss.get("/api/v1/incidents").headers["cache-control"] == "no-store"
    assert boss.get("/healthz", headers={"X-Request-Id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert boss.get("/healthz", headers={"X-Request-Id": "a b"}).headers["x-request-id"] != "a b"


def test_a_body_larger_than_a_megabyte_is_refused_however_it_comes(shared: Desk, boss: httpx.Client) -> None:
    large = b'{"text": "' + b"x" * MAX_BODY + b'"}'

    def chunks() -> Iterator[bytes]:
        for start in range(0, len(large), 65_536):
            yield large[start : start + 65_536]

    for content in (large, chunks()):
        answer = shared.seat("boss").post(
            "/api/v1/alarms", content=content, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)
        assert answer.json()["type"] == "urn:care-hub:too-large"
    assert boss.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"{", "application/json"),
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'"text"', "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"text": NaN}', "application/json"),
        (b"text=hello", "application/x-www-form-urlencoded"),
        (b'{"a":' * 5000, "application/json"),
    ],
)
def test_a_body_that_is_none(boss: httpx.Client, content: bytes, kind: str) -> None:
    answer = boss.post("/api/v1/alarms", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["detail"]


def test_an_unexpected_failure_says_nothing_of_the_inside(shared: Desk, caplog: pytest.LogCaptureFixture) -> None:
    class Unwritable:
        """Nothing that JSON knows."""

    shared.ready["password"] = Unwritable()
    try:
        with caplog.at_level(logging.ERROR, logger="hub.api"):
            answer = shared.anonymous().get("/readyz", headers={"X-Request-Id": "trace-7"})
    finally:
        del shared.ready["password"]
    assert (answer.status_code, answer.headers["content-type"]) == (500, PROBLEM)
    assert answer.json()["request_id"] == "trace-7"
    assert "Unwritable" not in answer.text
    assert any(getattr(record, "request_id", "") == "trace-7" and record.exc_info for record in caplog.records)


def test_health_readiness_and_metrics(shared: Desk) -> None:
    anyone = shared.anonymous()
    assert anyone.get("/healthz").json() == {"ok": True}
    assert anyone.get("/readyz").status_code == 200
    shared.ready.update(ready=False, database=False)
    try:
        answer = anyone.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["database"] is False
    finally:
        shared.ready.update(ready=True, database=True)
    text = anyone.get("/metrics").text
    assert 'hub_http_requests_total{method="GET",route="/readyz",status="503"} 1.0' in text
    assert "hub_stream_subscribers" in text
    # Numbers only: no path with somebody's id becomes a label.
    anyone.get("/api/v1/residents/R-secret-1")
    assert "R-secret-1" not in anyone.get("/metrics").text


def test_the_documents_are_public(shared: Desk) -> None:
    anyone = shared.anonymous()
    assert anyone.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
    page = anyone.get("/api/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "/api/v1/incidents/{incident_id}/acknowledge" in page.text
    assert "<script" not in page.text


# --- nonsense by the hundred

_TEXT = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "R1", "2026-03-01T08:00:00Z", "9999-12-31T23:59:59-23:59", "' OR 1=1"]
)
_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
_LEFT_ALONE = {("DELETE", "/api/v1/session"), ("POST", "/api/v1/session"), ("GET", "/api/v1/stream")}
_OPERATIONS = sorted(key for key in TABLE if key not in _LEFT_ALONE)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(picked=st.sampled_from(_OPERATIONS), source=st.data())
def test_nonsense_never_breaks_it(
    shared: Desk, boss: httpx.Client, picked: tuple[str, str], source: st.DataObject
) -> None:
    method, template = picked
    document = shared.app.openapi()
    operation = document["paths"][template][method.lower()]
    path = template
    while "{" in path:
        before, _, rest = path.partition("{")
        ident = source.draw(
            st.sampled_from(["R1", "S1", "W1", "018f0000-0000-7000-8000-000000000000", "%00", "%ff", "a%20b", "…"])
        )
        path = before + ident + rest.partition("}")[2]
    params = {
        one["name"]: source.draw(_TEXT.filter(lambda text: "\ud800" not in text) | st.just("1"))
        for one in operation.get("parameters", ())
        if one["in"] == "query" and one["name"] != "wait" and source.draw(st.booleans())
    }
    if template.endswith("/changes"):
        params["wait"] = "0"
    content = None
    if method in ("POST", "PATCH"):
        names = _fields(document, operation)
        body = (
            source.draw(_JUNK)
            if not names
            else {name: source.draw(_JUNK) for name in names if source.draw(st.booleans())}
        )
        content = json.dumps(body)
    answer = boss.request(method, path, params=params, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, f"{method} {path} {params} {content}: {answer.text}"
    if answer.status_code >= 400 and not template.startswith("/t/"):  # a page that people open from a message
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["status"] == answer.status_code


def _fields(document: Json, operation: Json) -> list[str]:
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for one in (schema, *schema.get("anyOf", ())):
        if "$ref" in one:
            found = document["components"]["schemas"][one["$ref"].rpartition("/")[2]]
            return sorted(found.get("properties", {}))
    return []


# --- without a database


def test_while_the_database_is_away_pages_stay_and_say_so(database_url: str, postgres_server: EmbeddedPostgres) -> None:
    name = sql.Identifier(urlsplit(database_url).path.strip("/"))
    with (
        open_desk(database_url, patience=1.0) as desk,
        psycopg.connect(postgres_server.admin_url, autocommit=True) as admin,
    ):
        operator = desk.seat("zhoumin")
        ident = desk.incident("W1")
        assert operator.get("/api/v1/session").status_code == 200
        with desk.stream(operator) as events:
            events.wait_for("hb")
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (name.as_string().strip('"'),),
            )
            try:
                wait_until(lambda: events.named("hb")[-1]["database"] is False, 15, what="the banner")
                # Signed in still; what needs the database says that it is away, and when to come back.
                assert operator.get("/api/v1/session").status_code == 200
                began = monotonic()
                refused = operator.post(f"/api/v1/incidents/{ident}/acknowledge")
                assert (refused.status_code, refused.json()["type"]) == (503, "urn:care-hub:unavailable")
                assert refused.headers["retry-after"]
                assert monotonic() - began < 4
                assert not events.ended.is_set()
            finally:
                admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(name))
            wait_until(lambda: operator.post(f"/api/v1/incidents/{ident}/acknowledge").status_code == 200, 15)
            wait_until(lambda: events.named("incident.updated"), 15)
            wait_until(lambda: events.named("hb")[-1]["database"] is True, 15)


# --- small things


@pytest.mark.parametrize(
    ("text", "version"), [(None, None), ("*", None), ('"3"', 3), ("3", 3), ('W/"12"', 12), (" 7 ", 7)]
)
def test_versions(text: str | None, version: int | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize("text", ["three", "-1", '"1", "2"', "9" * 10])
def test_versions_that_are_none(text: str) -> None:
    with pytest.raises(BadRequestError):
        parse_version(text)


@pytest.mark.parametrize(
    ("number", "digits"),
    [("+86 138-0000-0003", "13800000003"), ("0086 13800000003", "13800000003"), ("(0553) 1234567", "05531234567")],
)
def test_numbers(number: str, digits: str) -> None:
    assert plain_number(number) == digits


def test_loopback() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost", "hub.localhost"))
    assert not any(is_loopback(host) for host in (None, "10.0.0.1", "hub.example.org", "localhost.example.org"))
