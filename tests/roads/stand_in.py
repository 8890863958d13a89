"""A routing server that speaks OSRM's and Valhalla's wire, and can be told to behave badly."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dispatch import Place, haversine_m

__all__ = ["RoutingServer", "routing_server"]

SPEED = {"foot": 1.0, "bike": 4.0, "car": 8.0, "pedestrian": 1.0, "bicycle": 4.0, "auto": 8.0}


class RoutingServer:
    """Roads are twice as long as the crow's way. `unreachable`: places (lat) that no road leads from."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[tuple[str, Any]] = []
        self.unreachable: set[float] = set()
        self.status = 200
        self.body: bytes | None = None
        self.held = threading.Event()
        self.held.set()
        self.plain_matrix = False
        """Valhalla's short shape of an answer."""

    def osrm(self, path: str, query: dict[str, list[str]]) -> Any:
        _, _, _, profile, places = path.split("/")
        points = [tuple(map(float, one.split(","))) for one in unquote(places).split(";")]
        sources = [int(one) for one in query["sources"][0].split(";")]
        (end,) = [int(one) for one in query["destinations"][0].split(";")]
        assert set(query["annotations"][0].split(",")) == {"duration", "distance"}
        self.asked.append((profile, len(sources)))
        ways = [self._way(Place(*points[one][::-1]), Place(*points[end][::-1]), profile) for one in sources]
        return {
            "code": "Ok",
            "durations": [[way and way[1]] for way in ways],
            "distances": [[way and way[0]] for way in ways],
        }

    def valhalla(self, body: Any) -> Any:
        assert body["units"] == "kilometers"
        (target,) = body["targets"]
        self.asked.append((body["costing"], len(body["sources"])))
        ways = [self._way(Place(**one), Place(**target), body["costing"]) for one in body["sources"]]
        if self.plain_matrix:
            return {
                "sources_to_targets": {
                    "durations": [[way and way[1]] for way in ways],
                    "distances": [[way and way[0] / 1_000] for way in ways],
                }
            }
        return {
            "sources_to_targets": [
                [{"from_index": n, "to_index": 0, "time": way and way[1], "distance": way and way[0] / 1_000}]
                for n, way in enumerate(ways)
            ]
        }

    def _way(self, start: Place, end: Place, profile: str) -> tuple[float, float] | None:
        if round(start.lat, 6) in self.unreachable:
            return None
        metres = 2 * haversine_m(start, end)
        return metres, metres / SPEED[profile]


@contextmanager
def routing_server() -> Iterator[RoutingServer]:
    """One on a free port, until the block is left."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = urlsplit(self.path)
            self._answer(lambda: served.osrm(found.path, parse_qs(found.query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            assert self.path == "/sources_to_targets"
            self._answer(lambda: served.valhalla(body))

        def _answer(self, make: Any) -> None:
            served.held.wait(30)
            content = served.body if served.body is not None else json.dumps(make()).encode()
            self.send_response(served.status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Who asked has gone away in the middle of an answer."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        served = RoutingServer(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            served.held.set()
            server.shutdown()
            thread.join()
