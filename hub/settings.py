"""All settings, from the environment (`HUB_…`, nested with `__`) or from `hub.toml`; the environment wins.

The only place that reads the environment. docs/operations.md has the table. A setting is always named in its
environment form in messages, wherever it was written, and a message never repeats its value: it may be a password.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from devices.maker_topics import DEFAULT_TOPICS, filters_of
from hub.errors import SettingError
from hub.retention import RetentionSettings
from hub.settings_database import DatabaseSettings
from hub.settings_desk import (
    IncidentSettings,
    IntakeSettings,
    LogSettings,
    PathTestSettings,
    SessionSettings,
    SupervisionSettings,
)
from hub.settings_devices import BrokerSettings, DeviceSettings, RulesSettings
from hub.settings_notify import (
    ChatSettings,
    MailSettings,
    NotifySettings,
    PushSettings,
    SmsSettings,
    VoiceSettings,
)
from hub.settings_site import MapSettings, SiteSettings
from hub.settings_travel import TravelSettings

__all__ = [
    "DatabaseSettings",
    "HttpSettings",
    "IncidentSettings",
    "IntakeSettings",
    "LogSettings",
    "MapSettings",
    "MqttAddress",
    "MqttSettings",
    "SessionSettings",
    "Settings",
    "SiteSettings",
    "SupervisionSettings",
    "TcpSettings",
    "config_file",
    "load_settings",
    "parse_mqtt_url",
]

PREFIX, NESTED = "HUB_", "__"
CONFIG = "HUB_CONFIG"
"""Names the file to read instead of `hub.toml` in the working folder."""


@dataclass(frozen=True, slots=True)
class MqttAddress:
    """A broker's URL taken apart."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_mqtt_url(url: str) -> MqttAddress:
    """Takes `mqtt://` or `mqtts://` `[user:password@]host[:port]` apart (1883, 8883 where no port is given).

    Raises ValueError with a reason that does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("is not a URL; characters such as / @ : # in a password are written %2F %40 %3A %23") from None
    if parts.scheme not in {"mqtt", "mqtts"}:
        raise ValueError("must begin with mqtt:// or mqtts://")
    if not parts.hostname:
        raise ValueError("names no host")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValueError("must end after the port; characters such as / ? # in a password are written %2F %3F %23")
    tls = parts.scheme == "mqtts"
    return MqttAddress(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        tls=tls,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def _check_mqtt_url(url: SecretStr) -> SecretStr:
    parse_mqtt_url(url.get_secret_value())
    return url


def _readable_file(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot read the file: {error.strerror}") from None


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.strip() == "none":
        return {}
    found: dict[str, str] = {}
    for part in value.split(","):
        prefix, sign, family = (word.strip() for word in part.rpartition("="))
        if not sign:
            raise ValueError("expected prefix=family, separated by commas, or none")
        found[prefix] = family
    return found


def _network(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise ValueError("expected addresses or networks such as 10.0.0.7 or 10.0.0.0/8, separated by commas") from None


Port = Annotated[int, Field(ge=0, le=65535)]
ReadableFile = Annotated[Path, AfterValidator(_readable_file)]
Network = Annotated[str, AfterValidator(_network)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MqttSettings(_Section):
    """The broker; without a URL an embedded one on the loopback address."""

    url: Annotated[SecretStr, AfterValidator(_check_mqtt_url)] | None = None
    ca_file: ReadableFile | None = None
    cert_file: ReadableFile | None = None
    key_file: ReadableFile | None = None
    embedded_port: Port = 1883
    """MQTT 3.1.1 port of the embedded broker; 0 takes a free one."""
    embedded_port_v5: Port = 1884
    """MQTT 5 port of the embedded broker; 0 takes a free one."""
    user_per_connection: bool = False
    """Each connection logs in as `{user}-{connection}` (`hub-alarm`, …): for brokers that take the user name as the
    client id, as the site configuration does."""
    node: int = Field(default=0, ge=0, le=63)
    """Which of several hub processes with the same parts this one is: its connections get names of their own."""
    nodes: int = Field(default=1, ge=1, le=64)
    """How many processes with a bridge there are; with more than one, all share the telemetry."""
    topics: Annotated[Mapping[str, str], NoDecode, BeforeValidator(_pairs)] = DEFAULT_TOPICS
    """Makers' own topics and who speaks on them: `prefix=family`, separated by commas; `none` takes none."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        for prefix, family in self.topics.items():
            try:
                filters_of(family, prefix)
            except ValueError as error:
                raise ValueError(f"HUB_MQTT__TOPICS: {error}") from None
            if prefix.startswith("$") and self.url is None:
                raise ValueError(f"HUB_MQTT__TOPICS: the embedded broker has no topics that begin with $: {prefix}")
        if (self.cert_file is None) != (self.key_file is None):
            missing = "CERT_FILE" if self.cert_file is None else "KEY_FILE"
            raise ValueError(f"HUB_MQTT__{missing}: is missing; certificate and key go together")
        files = {"CA_FILE": self.ca_file, "CERT_FILE": self.cert_file}
        for name, given in files.items():
            if given is not None and (self.url is None or not parse_mqtt_url(self.url.get_secret_value()).tls):
                raise ValueError(f"HUB_MQTT__{name}: is used with a HUB_MQTT__URL of mqtts:// only")
        if self.url is None and self.embedded_port == self.embedded_port_v5 != 0:
            raise ValueError("HUB_MQTT__EMBEDDED_PORT_V5: must differ from HUB_MQTT__EMBEDDED_PORT")
        if self.user_per_connection and (self.url is None or not parse_mqtt_url(self.url.get_secret_value()).username):
            raise ValueError("HUB_MQTT__USER_PER_CONNECTION: needs a user name in HUB_MQTT__URL")
        if self.nodes > 1 and self.node >= self.nodes:
            raise ValueError("HUB_MQTT__NODE: counts from 0 and must be less than HUB_MQTT__NODES")
        return self


class HttpSettings(_Section):
    """The web server of console, phone page and API."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 8080
    tls_cert: ReadableFile | None = None
    tls_key: ReadableFile | None = None
    status_port: Port | None = None
    """Where a process without the API answers /healthz, /readyz and /metrics; by default 8081 with the bridge, else
    8082. 0 takes a free one."""
    trusted_proxies: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_listed)
    ] = ()
    """Proxies whose `X-Forwarded-…` are believed: addresses or networks."""
    docs: bool = True
    """A plain page of the API at /api/v1/docs."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "TLS_CERT" if self.tls_cert is None else "TLS_KEY"
            raise ValueError(f"HUB_HTTP__{missing}: is missing; certificate and key go together")
        return self


class TcpSettings(_Section):
    """Listeners for makers' own protocols; each is off unless its port is set."""

    host: str = Field(default="127.0.0.1", min_length=1)
    watch_port: Port | None = None
    """The bracket watch protocol `[3G*…]`; 0 takes a free port."""
    iw_port: Port | None = None
    """IW and TRV watches `IWAP…#`."""
    minifinder2_port: Port | None = None
    """MiniFinder2 and Eview pendants."""
    gt06_port: Port | None = None
    h02_port: Port | None = None
    unknown: Literal["quarantine", "refuse"] = "quarantine"
    """A device nobody added: its alarms are raised and marked, the rest is kept aside; or its connection is closed."""
    max_connections: int = Field(default=19_000, ge=1, le=1_000_000)
    """Open connections of one listener."""
    max_per_address: int = Field(default=5_000, ge=1, le=1_000_000)
    """Of these, from one address. A carrier's gateway may stand for thousands of devices."""
    tls_cert: ReadableFile | None = None
    tls_key: ReadableFile | None = None
    proxy_protocol: bool = False
    """A balancer stands before the listeners and says in PROXY protocol version 2 whom each connection is from."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "TLS_CERT" if self.tls_cert is None else "TLS_KEY"
            raise ValueError(f"HUB_TCP__{missing}: is missing; certificate and key go together")
        ports = [port for port in self.ports().values() if port]
        for name, port in self.ports().items():
            if port and ports.count(port) > 1:
                raise ValueError(f"HUB_TCP__{name.upper()}_PORT: each family needs a port of its own")
        return self

    def ports(self) -> dict[str, int]:
        """Family to port, of the listeners that are set."""
        named = {
            "watch": self.watch_port,
            "iw": self.iw_port,
            "minifinder2": self.minifinder2_port,
            "gt06": self.gt06_port,
            "h02": self.h02_port,
        }
        return {family: port for family, port in named.items() if port is not None}


class Settings(BaseSettings):
    """Everything a hub can be told. Built by `load_settings`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path("hub-data")
    """Embedded database and broker, logs of the servers. Two hubs never share it."""
    shadow: bool = False
    """Listens in the shadow of another centre: decides as ever, calls and notifies nobody, answers no device."""
    database: DatabaseSettings = DatabaseSettings()
    mqtt: MqttSettings = MqttSettings()
    http: HttpSettings = HttpSettings()
    tcp: TcpSettings = TcpSettings()
    intake: IntakeSettings = IntakeSettings()
    incidents: IncidentSettings = IncidentSettings()
    supervision: SupervisionSettings = SupervisionSettings()
    rules: RulesSettings = RulesSettings()
    path_test: PathTestSettings = PathTestSettings()
    devices: DeviceSettings = DeviceSettings()
    broker: BrokerSettings = BrokerSettings()
    session: SessionSettings = SessionSettings()
    site: SiteSettings = SiteSettings()
    map: MapSettings = MapSettings()
    travel: TravelSettings = TravelSettings()
    retention: RetentionSettings = RetentionSettings()
    notify: NotifySettings = NotifySettings()
    voice: VoiceSettings = VoiceSettings()
    sms: SmsSettings = SmsSettings()
    chat: ChatSettings = ChatSettings()
    mail: MailSettings = MailSettings()
    push: PushSettings = PushSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load_settings(config: Path | None = None, *, defaults: Mapping[str, Any] | None = None) -> Settings:
    """Reads the settings: environment before file before `defaults` (nested by section, as in the file).

    The file is `config`, else the one `HUB_CONFIG` names, else `hub.toml` in the working folder if it is there.
    Raises SettingError, one line, naming the setting.
    """
    _refuse_unknown_names()
    written = _read_file(config)
    try:
        return Settings(**_laid_over(defaults or {}, written))
    except ValidationError as error:
        wrong = [_in_words(one) for one in error.errors(include_url=False, include_input=False)]
        raise SettingError("; ".join(dict.fromkeys(wrong))) from None
    except SourceError as error:
        section = str(error).split('"')[1] if '"' in str(error) else "?"
        raise SettingError(f"{PREFIX}{section.upper()}: is a section; set its settings one by one") from None


def _known_names(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[str]:
    for name, described in model.model_fields.items():
        kind = described.annotation
        yield f"{prefix}{name.upper()}"
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _known_names(kind, f"{prefix}{name.upper()}{NESTED}")


def _refuse_unknown_names() -> None:
    known = {*_known_names(), CONFIG}
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            raise SettingError(f"{name.upper()}: there is no such setting{_meant(name.upper())}")


def _meant(name: str) -> str:
    near = difflib.get_close_matches(name, list(_known_names()), n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else ""


def _named_file() -> Path | None:
    return Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None


def config_file() -> Path | None:
    """The settings file that `load_settings` reads where it is told no other; None where there is none."""
    path = _named_file() or Path("hub.toml")
    return path if path.exists() else None


def _read_file(config: Path | None) -> dict[str, Any]:
    named = config or _named_file()
    path = named or Path("hub.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named is None:
            return {}
        raise SettingError(f"{CONFIG}: there is no file {path}") from None
    except OSError as error:
        raise SettingError(f"{CONFIG}: cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{CONFIG}: {path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        where = str(error).rpartition("(")[2].rstrip(")") or "somewhere"
        raise SettingError(f"{CONFIG}: {path} is not TOML, {where}") from None


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    laid = dict(below)
    for name, value in above.items():
        under = laid.get(name)
        laid[name] = _laid_over(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return laid


def _in_words(error: ErrorDetails) -> str:
    # Numbers are places in a list, words in brackets are pydantic's own steps: neither is part of the name.
    steps = [str(step) for step in error["loc"] if isinstance(step, str) and step.isidentifier()]
    name = PREFIX + NESTED.join(steps[:2]).upper()
    if error["type"] == "extra_forbidden":
        return f"{name}: there is no such setting{_meant(name)}"
    if error["type"] in {"model_type", "model_attributes_type", "dict_type"}:
        return f"{name}: is a section; set its settings one by one"
    said = str(error.get("ctx", {}).get("error", "")) or error["msg"].removeprefix("Input ")
    return said if said.startswith(PREFIX) else f"{name}: {said}"
