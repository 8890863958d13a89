"""What the bridge is told by the settings, as plain values; `bridge_options` fills them in."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from devices.maker_topics import filters_of
from hub.errors import SettingError
from hub.settings import Settings, parse_mqtt_url

__all__ = ["BatchOptions", "BridgeOptions", "BrokerOptions", "TcpOptions", "UnknownDevices", "bridge_options"]

UnknownDevices = Literal["quarantine", "refuse"]
"""What a frame of a device nobody added meets: taken and marked, or the connection closed."""


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """Where the broker is and how to come in. Times in seconds.

    `user_per_connection`: each connection signs in as `{username}-{connection}` (with the one password), as a broker
    with `use_username_as_clientid` needs it; otherwise all use `username`.
    """

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    user_per_connection: bool = False
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    keepalive_s: int = 30
    connect_timeout_s: float = 4.0
    ready_within_s: float = 10.0
    """How long a broker that took the connection may be silent before it is left again."""
    backoff_min_s: float = 0.2
    backoff_max_s: float = 5.0
    mute: bool = False
    """Nothing is ever published: the hub listens in the shadow of another centre."""

    def user(self, client_id: str) -> str | None:
        """The user name the connection `client_id` signs in with; None: no credentials."""
        if self.user_per_connection and self.username is not None:
            return self.username + client_id.removeprefix("hub")
        return self.username

    def context(self) -> ssl.SSLContext | None:
        """The TLS context, or None. SettingError names the file that is wrong."""
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingError(f"HUB_MQTT__CA_FILE {self.ca_file}: {error}") from error
        if self.cert_file is not None:
            try:
                context.load_cert_chain(self.cert_file, self.key_file)
            except (OSError, ssl.SSLError) as error:
                raise SettingError(
                    f"HUB_MQTT__CERT_FILE {self.cert_file}, KEY_FILE {self.key_file}: {error}"
                ) from error
        return context


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How many messages go into one transaction, how many transactions are under way, and how much may wait.

    `linger_s` 0: at once, take what is there. `max_unsettled` and `max_unsettled_bytes` bound what one connection may
    have received and not yet settled; beyond, its socket is not read.
    """

    size: int
    linger_s: float = 0.0
    hands: int = 1
    max_unsettled: int = 4_000
    max_unsettled_bytes: int = 64 * 1024 * 1024
    backoff_min_s: float = 0.1
    backoff_max_s: float = 5.0


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """The gateway of one family. Times in seconds, `rate` in frames a second and connection."""

    family: str = "watch"
    host: str = "127.0.0.1"
    port: int = 0
    unknown: UnknownDevices = "quarantine"
    max_connections: int = 20_000
    max_per_address: int = 5_000
    """A carrier's gateway may stand for thousands of devices, so this only keeps one address from taking everything."""
    proxy_protocol: bool = False
    """Each connection begins with a PROXY protocol version 2 header; the address in it is the device's."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    max_pending: int = 64
    """Frames of one connection that may wait for their commit; beyond, it is not read."""
    max_pending_total: int = 10_000
    """The same for all connections together, for alarms and for telemetry."""
    patience_s: float = 2.0
    """How long telemetry without room may hold up reading; alarms behind it must not wait for the database."""
    first_frame_s: float = 30.0
    frame_s: float = 60.0
    """How long a frame may take to become whole."""
    pause_s: float = 8.0
    """After this silence what is left of a frame is made use of."""
    idle_s: float = 15 * 60.0
    takeover_s: float = 5 * 60.0
    """Two connections of one id: the older keeps the downlink until it was silent for so long."""
    rate: float = 20.0
    burst: int = 200
    max_garbage: int = 8_192
    """Bytes that belong to no frame, before the connection is closed."""
    mute: bool = False
    """Nothing is ever written: the hub listens in the shadow of another centre."""
    write_limit: int = 64 * 1024
    """Bytes a device may leave unread before its connection is closed."""

    @property
    def setting(self) -> str:
        """The setting of its port, for messages."""
        return f"HUB_TCP__{self.family.upper()}_PORT"

    def context(self) -> ssl.SSLContext | None:
        """The TLS context, or None. SettingError names the files where they are wrong."""
        if self.tls_cert is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            context.load_cert_chain(self.tls_cert, self.tls_key)
        except (OSError, ssl.SSLError) as error:
            raise SettingError(f"HUB_TCP__TLS_CERT {self.tls_cert}, TLS_KEY {self.tls_key}: {error}") from error
        return context


_IDLE_S: Mapping[str, float] = {
    "watch": 15 * 60.0,  # LK every minute, eight minutes at most
    "iw": 20 * 60.0,  # AP03 every four minutes
    "minifinder2": 3 * 3600.0,  # a pendant sleeps and says something every hour
    "gt06": 20 * 60.0,  # 0x13 every three minutes
    "h02": 30 * 60.0,  # V1 or XT every ten minutes where it stands still
}
"""How long a line may be silent before the device is taken for gone: several of its family's own intervals."""


@dataclass(frozen=True, slots=True)
class BridgeOptions:
    """Everything together. `node` (0, 1, …) tells several bridge processes apart: each has its own client ids."""

    broker: BrokerOptions
    alarm: BatchOptions = BatchOptions(size=200)
    telemetry: BatchOptions = BatchOptions(size=500, linger_s=0.02)
    mixed: BatchOptions = BatchOptions(size=200)
    topics: Mapping[str, str] = field(default_factory=dict)
    """Makers' topics: prefix to family."""
    workers: int = 1
    """Telemetry connections of this process."""
    nodes: int = 1
    """Bridge processes there are in all; more than one connection in all means shared subscriptions."""
    node: int = 0
    tcp: tuple[TcpOptions, ...] = ()
    """One listener a family."""

    def __post_init__(self) -> None:
        for prefix, family in self.topics.items():
            try:
                filters_of(family, prefix)
            except ValueError as error:
                raise SettingError(f"HUB_MQTT__TOPICS: {error}") from error
        if self.workers < 1 or self.nodes < 1 or not 0 <= self.node < self.nodes:
            raise SettingError(
                f"bridge: workers {self.workers}, nodes {self.nodes}, node {self.node}: "
                "at least one worker and one node, and node from 0 to nodes - 1"
            )


def bridge_options(settings: Settings, mqtt_url: str, *, nodes: int = 1, node: int = 0) -> BridgeOptions:
    """The settings as the bridge takes them. `mqtt_url`: HUB_MQTT__URL, or the embedded broker's."""
    address = parse_mqtt_url(mqtt_url)
    intake, tcp = settings.intake, settings.tcp
    return BridgeOptions(
        broker=BrokerOptions(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            user_per_connection=settings.mqtt.user_per_connection,
            tls=address.tls,
            ca_file=settings.mqtt.ca_file,
            cert_file=settings.mqtt.cert_file,
            key_file=settings.mqtt.key_file,
            mute=settings.shadow,
        ),
        alarm=BatchOptions(size=intake.alarm_batch),
        telemetry=BatchOptions(
            size=intake.telemetry_batch,
            linger_s=intake.telemetry_wait_ms / 1000,
            hands=intake.telemetry_transactions,
        ),
        mixed=BatchOptions(size=intake.alarm_batch),
        topics=settings.mqtt.topics,
        workers=intake.telemetry_workers or 1,
        nodes=nodes,
        node=node,
        tcp=tuple(
            TcpOptions(
                family=family,
                host=tcp.host,
                port=port,
                unknown=tcp.unknown,
                max_connections=tcp.max_connections,
                max_per_address=tcp.max_per_address,
                proxy_protocol=tcp.proxy_protocol,
                tls_cert=tcp.tls_cert,
                tls_key=tcp.tls_key,
                idle_s=_IDLE_S[family],
                mute=settings.shadow,
            )
            for family, port in tcp.ports().items()
        ),
    )
