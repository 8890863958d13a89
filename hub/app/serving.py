"""`hub serve`: a hub in the foreground, from the first line to Ctrl-C; and what `hub demo` needs of that, too."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub.api import ApiServer, create_server, create_status
from hub.app.compose import Hub
from hub.app.parts import PARTS, Part
from hub.errors import SettingError
from hub.logs import configure_logs
from hub.settings import Settings

__all__ = ["Ending", "address_of", "listening", "run_server", "serve", "settle_memory", "until_ended"]

log = logging.getLogger(__name__)


class Ending:
    """Ctrl-C and SIGTERM, however often and from wherever."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.server: ApiServer | None = None

    def __call__(self, *_: object) -> None:
        self.event.set()
        if self.server is not None:
            self.server.should_exit = True


@contextmanager
def until_ended() -> Iterator[Ending]:
    """Takes SIGINT and SIGTERM over while the block runs."""
    ending = Ending()
    former = {number: signal.signal(number, ending) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ending
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


_STATUS_PORTS = {True: 8081, False: 8082}
"""Where a process without the API answers for itself unless told otherwise: with the bridge in it, and without."""


def _bind(hub: Hub) -> tuple[ApiServer, socket.socket]:
    """Takes the port before anything is said about it. SettingError where somebody else has it."""
    http = hub.settings.http
    if hub.api is not None:
        return create_server(hub.api, hub.feed, http), listening("PORT", http.host, http.port)
    server = create_server(create_status(hub.readiness, hub.registry), None, http)
    port = _STATUS_PORTS["bridge" in hub.parts] if http.status_port is None else http.status_port
    return server, listening("STATUS_PORT", http.host, port)


def listening(setting: str, host: str, port: int) -> socket.socket:
    """A socket that listens there. SettingError, naming HUB_HTTP__{setting}, where somebody else does."""
    try:
        # It listens from here on: whoever reads the address in the next line waits for an answer and is not refused.
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingError(
            f"HUB_HTTP__{setting}: cannot listen on {host}:{port} ({error.strerror}); "
            "somebody else has it, or it is not allowed"
        ) from None


def address_of(settings: Settings, bound: socket.socket) -> str:
    """The web address of a socket, as a browser on this machine writes it."""
    http = settings.http
    host, port = bound.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"{'https' if http.tls_cert else 'http'}://{shown}:{port}"


def serve(settings: Settings, *, parts: frozenset[Part] = frozenset(PARTS), workers: int | None = None) -> None:
    """Runs a hub until SIGINT or SIGTERM; then everything ends within 5 seconds."""
    configure_logs(settings.log.level, json=settings.log.format == "json")
    with until_ended() as ending:
        hub = Hub(settings, parts=parts, workers=workers)
        try:
            hub.start()
            settle_memory()
            try:
                server, bound = _bind(hub)
            except SettingError as error:
                if hub.api is not None or settings.http.status_port is not None:
                    raise
                # Nobody asked for it: a bridge takes alarms even where its port is somebody else's.
                log.error("hub is running: %s, without /readyz and /metrics: %s", _named(parts), error.detail)
                ending.event.wait()
                return
            if hub.api is None:
                log.warning("hub is running: %s; how it is: %s/readyz", _named(parts), address_of(hub.settings, bound))
            else:
                log.warning("hub is running on %s", address_of(hub.settings, bound))
            run_server(ending, server, bound)
        finally:
            hub.stop()


def _named(parts: frozenset[Part]) -> str:
    return ", ".join(sorted(parts))


def settle_memory() -> None:
    """What is here now stays; looking through it again and again costs the ingest path a fifth of its time.

    Batches make and drop tens of thousands of small objects that hold no cycles: reference counts free those at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run_server(ending: Ending, server: ApiServer, bound: socket.socket) -> None:
    """Serves until told to end. uvicorn takes the signals meanwhile and raises them again for us afterwards."""
    ending.server = server
    if not ending.event.is_set():
        server.run(sockets=[bound])
