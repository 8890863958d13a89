"""How the pages are served: headers, caches, compression, no way out of the folder. No browser needed."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request

from hub.alarms.rules import RULE_IDS
from hub.console import mount_console
from hub.console.pages import DIST, MEDIA_TYPES, _file


class Client:
    """Asks the application without a server."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(ask())


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "m").mkdir()
    (folder / "index.html").write_text("<title>console</title>")
    (folder / "m" / "index.html").write_text("<title>phone</title>")
    (folder / "home").mkdir()
    (folder / "home" / "index.html").write_text("<title>home</title>")
    (folder / "m" / "sw.js").write_text("self")
    (folder / "m" / "manifest.webmanifest").write_text("{}")
    (folder / "mark.svg").write_text("<svg/>")
    (folder / "assets" / "console-abc.js").write_text("let a")
    (folder / "assets" / "console-abc.js.gz").write_bytes(gzip.compress(b"let a"))
    (folder / "assets" / ".hidden.js").write_text("secret")
    (tmp_path / "secret.js").write_text("secret")
    return folder


@pytest.fixture
def client(dist: Path) -> Client:
    app = FastAPI()
    mount_console(app, dist)
    return Client(app)


@pytest.mark.parametrize(
    ("path", "title"),
    [("/", "console"), ("/m/", "phone"), ("/m/claim", "phone"), ("/home", "home"), ("/q/abc", "home")],
)
def test_pages_are_never_cached_and_allow_nothing_from_elsewhere(client: Client, path: str, title: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert title in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    for loose in ("unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:"):
        assert loose not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(path, method="HEAD").status_code == 200


def test_the_phone_page_without_its_slash_leads_there(client: Client) -> None:
    answer = client.get("/m")
    assert (answer.status_code, answer.headers["location"]) == (308, "/m/")


def test_hashed_files_are_kept_for_ever_and_come_compressed_to_whoever_takes_it(client: Client) -> None:
    answer = client.get("/assets/console-abc.js", headers={"Accept-Encoding": "br, gzip;q=0.8"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.text == "let a"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["vary"] == "Accept-Encoding"
    plain = client.get("/assets/console-abc.js", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == "let a"


def test_the_service_worker_and_the_manifest_have_their_types(client: Client) -> None:
    assert client.get("/m/sw.js").headers["cache-control"] == "no-cache"
    assert client.get("/m/manifest.webmanifest").headers["content-type"] == MEDIA_TYPES[".webmanifest"]
    assert client.get("/mark.svg").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "name",
    ["nothing.js", "..%2Fsecret.js", "%2e%2e%2f%2e%2e%2fsecret.js", ".hidden.js", "console-abc.js.gz", "a%00.js"],
)
def test_nothing_but_the_build_is_served(client: Client, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


@pytest.mark.parametrize("name", ["../secret.js", "/etc/passwd", "..", ".", "", "a\x00.js", "..\\secret.js"])
def test_a_name_that_is_a_path_is_refused_before_the_disk(dist: Path, name: str) -> None:
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": b""}
    assert _file(dist / "assets", name, Request(scope), {}).status_code == 404


def test_without_a_build_the_page_says_what_to_run(tmp_path: Path) -> None:
    app = FastAPI()
    mount_console(app, tmp_path / "none")
    answer = Client(app).get("/")
    assert answer.status_code == 503
    assert "make web" in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_the_committed_web_project_names_no_registry() -> None:
    web = Path(__file__).parents[2] / "hub" / "console" / "web"
    assert "resolved" not in (web / "package-lock.json").read_text()
    assert "omit-lockfile-registry-resolved=true" in (web / ".npmrc").read_text()


def test_every_alarm_rule_has_its_words() -> None:
    for language in ("zh", "en"):
        words = Path(__file__).parents[2] / "hub/console/web/src/locales" / f"rules.{language}.json"
        named = {key.removeprefix("rule.") for key in json.loads(words.read_text()) if key.startswith("rule.")}
        assert named == RULE_IDS


@pytest.mark.parametrize(
    ("page", "most"), [("index.html", 150_000), ("m/index.html", 40_000), ("home/index.html", 40_000)]
)
def test_what_a_page_loads_first_stays_small(page: str, most: int) -> None:
    if not (DIST / page).is_file():
        pytest.skip("the pages are not built: make web")
    scripts = re.findall(r'(?:src|href)="(/assets/[^"]+\.js)"', (DIST / page).read_text())
    assert scripts
    sizes = {name: len(gzip.compress((DIST / name[1:]).read_bytes(), 9)) for name in scripts}
    assert sum(sizes.values()) <= most, sizes
