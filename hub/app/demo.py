"""`hub demo`: a hub with the sample community, its devices and people simulated, its ten minutes told."""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import click
from pydantic import SecretStr

from hub.api import create_server, hash_password
from hub.app.compose import Hub
from hub.app.plugging import services_on
from hub.app.serving import address_of, listening, run_server, settle_memory, until_ended
from hub.app.showing import Play, Showing
from hub.clock import Clock, monotonic, new_id, utc_now
from hub.demo.setup import DemoWorld, Story, set_up
from hub.embedded.private_files import write_private
from hub.logs import configure_logs
from hub.ports import Database
from hub.service import Services
from hub.settings import Settings, parse_mqtt_url
from hub.settings_notify import SmsSettings, VoiceSettings

__all__ = ["DEMO_DEFAULTS", "demo"]

DEMO_DEFAULTS: Final[dict[str, Any]] = {
    "data_dir": Path(".demo"),
    "tcp": {"watch_port": 5093, "iw_port": 0, "minifinder2_port": 0, "gt06_port": 0, "h02_port": 0},
    "log": {"level": "warning"},
}
"""What the demo sets unless the settings say otherwise."""


def demo(settings: Settings, *, residents: int, speed: float, seed: int, play: Play = "auto") -> None:
    """The hub with the sample community and simulators; prints the address, the log-ins, and what is to be seen."""
    configure_logs(settings.log.level, json=settings.log.format == "json")
    steps = _Steps(total=4)
    with (
        until_ended() as ending,
        # Both before the hub: it must know under which addresses telephones find it, and it finds them.
        listening("PORT", settings.http.host, settings.http.port) as bound,
        _Telephones.made() as telephones,
    ):
        address = address_of(settings, bound)
        settings = telephones.reached(settings, address)
        hub = Hub(settings, progress=steps.begin)
        showing: Showing | None = None
        try:
            hub.start()
            _log_aside(settings)
            steps.begin("载入柳岸社区", "loading the sample community")
            world = _world(hub, settings, telephones, residents=residents, seed=seed)
            assert hub.api is not None
            server = create_server(hub.api, hub.feed, settings.http)
            steps.begin("启动模拟设备与现场人员", "starting simulated devices and staff")
            command = _command(hub, world, address, speed=speed, seed=seed, play=play)
            steps.end()
            settle_memory()
            _welcome(address, world, _device_ports(hub), play)
            showing = Showing(hub, settings, world.world_file.with_name("demo-ledger.jsonl"), play)
            showing.start(command, telephones.socket)
            run_server(ending, server, bound)
        finally:
            if showing is not None:
                showing.end()
            hub.stop()
            if showing is not None:
                showing.see_out()


def _log_aside(settings: Settings) -> None:
    """From here on the log goes into a file: the terminal is for what is to be seen."""
    log = (settings.data_dir / "demo-hub.log").open("a", encoding="utf-8")
    configure_logs(settings.log.level, json=settings.log.format == "json", stream=log)


@dataclass(frozen=True, slots=True)
class _Telephones:
    """The simulated exchange, as far as the hub knows it: where it listens, and the secrets on both sides."""

    socket: socket.socket
    secret: str
    answer_secret: str

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[_Telephones]:
        with socket.create_server(("127.0.0.1", 0)) as listening_socket:
            yield cls(listening_socket, secrets.token_hex(16), secrets.token_hex(16))

    def reached(self, settings: Settings, address: str) -> Settings:
        """The settings with this exchange for telephone and short messages, where the site's own are not set."""
        url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        changed: dict[str, Any] = {}
        if settings.voice.provider == "none":
            changed["voice"] = VoiceSettings(
                provider="cloud",
                url=f"{url}/voice",
                password=SecretStr(self.secret),
                callback_secret=SecretStr(self.answer_secret),
            )
        if settings.sms.provider == "none":
            changed["sms"] = SmsSettings(provider="generic", url=f"{url}/sms", key_secret=SecretStr(self.secret))
        if settings.notify.public_url is None:
            changed["notify"] = settings.notify.model_copy(update={"public_url": address})
        return settings.model_copy(update=changed)


def _world(hub: Hub, settings: Settings, telephones: _Telephones, *, residents: int, seed: int) -> DemoWorld:
    def services_at(database: Database, clock: Clock) -> Services:
        return services_on(database, settings, clock=clock)

    return set_up(
        hub.database,
        hub.services,
        data_dir=settings.data_dir,
        clock=utc_now,
        new_id=new_id,
        hash_password=hash_password,
        write_private=write_private,
        seed=seed,
        residents=residents,
        story=Story(
            services_at,
            ZoneInfo(settings.site.time_zone),
            {"secret": telephones.secret, "answer_secret": telephones.answer_secret},
        ),
    )


def _command(hub: Hub, world: DemoWorld, address: str, *, speed: float, seed: int, play: Play) -> list[str]:
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
        "--play",
        play,
        "--captions",
        "--end-with-parent",
    ]
    for gateway in hub.bridge.state().tcp if hub.bridge is not None else ():
        place = f"127.0.0.1:{gateway.port}"
        command += ["--watch", place] if gateway.family == "watch" else ["--tcp", f"{gateway.family}={place}"]
    return command


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


def _welcome(address: str, world: DemoWorld, ports: str, play: Play) -> None:
    names = ", ".join(
        f"{login.username} ({login.name})"
        for login in world.logins
        if login.role not in ("staff", "family", "resident")
    )
    click.echo()
    click.echo(f"  值守台 console     {address}/")
    click.echo(f"  手机页 phone page  {address}/m/   家属页 family {address}/home")
    click.echo(f"  账号 log-ins       {names}")
    click.echo("                     现场 staff: sunwei (孙伟), helin (何琳), wuqiang (吴强) …")
    click.echo(f"  口令 password      {world.password}")
    click.echo(f"  设备端口 ports     {ports}")
    click.echo(f"  记录 log           {world.world_file.with_name('demo-hub.log')}")
    click.echo(f"  老人 {world.residents} residents · 设备 {world.devices} devices · Ctrl-C 结束 ends")
    click.echo()
    if play == "auto":
        click.echo("  以 zhoumin 登录可自己处置：系统等您；没有人登录时由模拟的周敏处置。")
        click.echo("  Sign in as zhoumin and act yourself: the story waits for you. Nobody there: 周敏 is simulated.")
    elif play == "devices":
        click.echo("  值守台由人操作。 The desk is yours.")
    click.echo()
