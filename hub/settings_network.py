"""Settings of the ways in: the broker, the web server, listeners for makers' own protocols. Read by `hub.settings`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from devices.maker_topics import DEFAULT_TOPICS, filters_of

__all__ = ["HttpSettings", "MqttAddress", "MqttSettings", "TcpSettings", "parse_mqtt_url"]


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
