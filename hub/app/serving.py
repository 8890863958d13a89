"""`hub serve` and `hub demo`: a hub in the foreground, from the first line to Ctrl-C."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from hub.api import ApiServer, create_server, create_status, hash_password
from hub.app.compose import PARTS, Hub, Part
from hub.clock import monotonic, new_id, utc_now
from hub.demo.setup import DemoWorld, set_up
from hub.embedded.private_files import write_private
from hub.errors import SettingError
from hub.logs import configure_logs
from hub.settings import Settings, parse_mqtt_url

__all__ = ["DEMO_DEFAULTS", "demo", "serve"]

log = logging.getLogger(__name__)

DEMO_DEFAULTS: dict[str, Any] = {
    "data_dir": Path(".demo"),
    "tcp": {"watch_port": 5093, "iw_port": 0, "minifinder2_port": 0, "gt06_port": 0, "h02_port": 0},
    "log": {"level": "warning"},
}
"""What the demo sets unless the settings say otherwise."""


class _Ending:
    """Ctrl-C and SIGTERM, however often and from wherever."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.server: ApiServer | None = None

    def __call__(self, *_: object) -> None:
        self.event.set()
        if self.server is not None:
            self.server.should_exit = True


@contextmanager
def _ending() -> Iterator[_Ending]:
    ending = _Ending()
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
        server = create_server(hub.api, hub.feed, http)
        return server, _listening(server, "PORT", http.host, http.port)
    server = create_server(create_status(hub.readiness, hub.registry), None, http)
    port = _STATUS_PORTS["bridge" in hub.parts] if http.status_port is None else http.status_port
    return server, _listening(server, "STATUS_PORT", http.host, port)


def _listening(server: ApiServer, setting: str, host: str, port: int) -> socket.socket:
    try:
        # It listens from here on: whoever reads the address in the next line waits for an answer and is not refused.
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if ":" in host else socket.AF_INET,
            backlog=server.config.backlog,
        )
    except OSError as error:
        raise SettingError(
            f"HUB_HTTP__{setting}: cannot listen on {host}:{port} ({error.strerror}); "
            "somebody else has it, or it is not allowed"
        ) from None


def _address(hub: Hub, bound: socket.socket) -> str:
    http = hub.settings.http
    host, port = bound.getsockname()[:2]
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"{'https' if http.tls_cert else 'http'}://{shown}:{port}"


def serve(settings: Settings, *, parts: frozenset[Part] = frozenset(PARTS), workers: int | None = None) -> None:
    """Runs a hub until SIGINT or SIGTERM; then everything ends within 5 seconds."""
    configure_logs(settings.log.level, json=settings.log.format == "json")
    with _ending() as ending:
        hub = Hub(settings, parts=parts, workers=workers)
        try:
            hub.start()
            _settle_memory()
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
                log.warning("hub is running: %s; how it is: %s/readyz", _named(parts), _address(hub, bound))
            else:
                log.warning("hub is running on %s", _address(hub, bound))
            _run(ending, server, bound)
        finally:
            hub.stop()


def _named(parts: frozenset[Part]) -> str:
    return ", ".join(sorted(parts))


def _settle_memory() -> None:
    """What is here now stays; looking through it again and again costs the ingest path a fifth of its time.

    Batches make and drop tens of thousands of small objects that hold no cycles: reference counts free those at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _run(ending: _Ending, server: ApiServer, bound: socket.socket) -> None:
    """Serves until told to end. uvicorn takes the signals meanwhile and raises them again for us afterwards."""
    ending.server = server
    if not ending.event.is_set():
        server.run(sockets=[bound])


def demo(settings: Settings, *, residents: int, speed: float, seed: int) -> None:
    """The hub with the sample community and simulators; prints the address and the log-ins."""
    configure_logs(settings.log.level, json=settings.log.format == "json")
    steps = _Steps(total=4)
    with _ending() as ending:
        hub = Hub(settings, progress=steps.begin)
        simulators: subprocess.Popen[bytes] | None = None
        try:
            hub.start()
            steps.begin("载入柳岸社区", "loading the sample community")
            world = set_up(
                hub.database,
                hub.services,
                data_dir=settings.data_dir,
                clock=utc_now,
                new_id=new_id,
                hash_password=hash_password,
                write_private=write_private,
                seed=seed,
                residents=residents,
            )
            server, bound = _bind(hub)
            address = _address(hub, bound)
            steps.begin("启动模拟设备与现场人员", "starting simulated devices and staff")
            simulators = _simulate(hub, world, address, speed=speed, seed=seed)
            steps.end()
            _settle_memory()
            _welcome(address, world, _device_ports(hub))
            _run(ending, server, bound)
        finally:
            if simulators is not None:
                simulators.terminate()
            hub.stop()
            if simulators is not None:
                _see_out(simulators)


def _simulate(hub: Hub, world: DemoWorld, address: str, *, speed: float, seed: int) -> subprocess.Popen[bytes]:
    broker = parse_mqtt_url(hub.embedded.mqtt_url)
    command = [
        str(Path(sys.executable).with_name("simulate")),
        "run",
        "liuan-day",
        "--broker",
        f"mqtt://{broker.host}:{broker.port}",
        "--api",
        address,
        "--world",
        str(world.world_file),
        "--ledger",
        str(world.world_file.with_name("demo-ledger.jsonl")),
        "--seed",
        str(seed),
        "--speed",
        str(speed),
        "--quiet",
        "--end-with-parent",
    ]
    for gateway in hub.bridge.state().tcp if hub.bridge is not None else ():
        address = f"127.0.0.1:{gateway.port}"
        command += ["--watch", address] if gateway.family == "watch" else ["--tcp", f"{gateway.family}={address}"]
    with world.world_file.with_name("demo-simulators.log").open("wb") as output:
        # Its own process group: Ctrl-C is for us, and we end it in order.
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def _see_out(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(1.0)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


class _Steps:
    """One line a step, with its time."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._number = 0
        self._began: float | None = None

    def begin(self, zh: str, en: str) -> None:
        self.end()
        self._number += 1
        self._began = monotonic()
        click.echo(f"[{self._number}/{self._total}] {zh} · {en} … ", nl=False)

    def end(self) -> None:
        if self._began is not None:
            click.echo(f"{timedelta(seconds=monotonic() - self._began).total_seconds():.1f} s")
            self._began = None


def _device_ports(hub: Hub) -> str:
    """Where a device of one's own may come to."""
    broker = parse_mqtt_url(hub.embedded.mqtt_url)
    tcp = () if hub.bridge is None else hub.bridge.state().tcp
    return " · ".join((f"mqtt {broker.port}", *(f"{gateway.family} {gateway.port}" for gateway in tcp)))


def _welcome(address: str, world: DemoWorld, ports: str) -> None:
    names = ", ".join(
        f"{login.username} ({login.name})"
        for login in world.logins
        if login.role not in ("staff", "family", "resident")
    )
    click.echo()
    click.echo(f"  值守台 console     {address}/")
    click.echo(f"  手机页 phone page  {address}/m/")
    click.echo(f"  账号 log-ins       {names}")
    click.echo("                     现场 staff: sunwei (孙伟), helin (何琳), wuqiang (吴强) …")
    click.echo(f"  口令 password      {world.password}")
    click.echo(f"  设备端口 ports     {ports}")
    click.echo(f"  老人 {world.residents} residents · 设备 {world.devices} devices · Ctrl-C 结束 ends")
    click.echo()
