"""Settings of the channels by which people are told. Read by `hub.settings`, like all settings; none is set by default.

Secrets stand here and nowhere else: no page shows them, no message and no log repeats them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

__all__ = ["ChatSettings", "MailSettings", "NotifySettings", "PushSettings", "SmsSettings", "VoiceSettings"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _web_address(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url):
        raise ValueError("must begin with https:// or http:// and name a host, without user name, ? and #")
    return url.rstrip("/")


def _words(value: object) -> object:
    """`name=value` pairs, separated by blanks: addresses have commas in them."""
    if not isinstance(value, str):
        return value
    found: dict[str, str] = {}
    for part in value.split():
        name, sign, rest = part.partition("=")
        if not sign or not name or not rest:
            raise ValueError("expected name=value, separated by blanks")
        found[name] = rest
    return found


def _clock(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("expected a time of day such as 21:30")
    return value


def _hosts(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _file(path: Path) -> Path:
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"cannot read the file: {error.strerror}") from None


WebAddress = Annotated[str, AfterValidator(_web_address)]
Clock = Annotated[time, BeforeValidator(_clock)]
Pairs = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_words)]
SecretPairs = Annotated[Mapping[str, SecretStr], NoDecode, BeforeValidator(_words)]
ReadableFile = Annotated[Path, AfterValidator(_file)]


class NotifySettings(_Section):
    """What all channels share."""

    public_url: WebAddress | None = None
    """Under which phones and telephone gateways reach this hub: links and key presses need it."""
    quiet_from: Clock = time(21, 30)
    quiet_to: Clock = time(7, 0)
    """Routine notices wait for the end of the quiet hours; the same time twice: there are none."""
    alarm_workers: int = Field(default=8, ge=1, le=64)
    routine_workers: int = Field(default=2, ge=1, le=64)
    """Messages under way at once, for each channel of the lane."""
    kept_days: int = Field(default=180, ge=7, le=3650)
    """How long notices and their tries are kept; the timeline of an incident keeps its lines."""


class VoiceSettings(_Section):
    """Telephone calls."""

    provider: Literal["none", "ari", "ami", "freeswitch", "cloud"] = "none"
    url: str = Field(default="", max_length=300)
    """ari, freeswitch, cloud: http(s)://host:port; ami: tcp://host:5038 or tls://host:5039."""
    user: str = Field(default="", max_length=100)
    password: SecretStr = SecretStr("")
    endpoint: str = Field(default="PJSIP/{number}@trunk", max_length=200)
    """What the gateway dials; {number} stands for the number."""
    context: str = Field(default="care-hub", pattern=r"^[A-Za-z0-9_.-]{1,80}$")
    """Of the dialplan: it reads the text aloud and tells which key was pressed."""
    caller_id: str = Field(default="", max_length=32, pattern=r"^[0-9+]*$")
    prefix: str = Field(default="", max_length=8, pattern=r"^[0-9*#]*$")
    """Dialled before every number."""
    callback_secret: SecretStr = SecretStr("")
    """By which the gateway proves itself when it tells of a key or the end of a call; without it nothing is taken."""
    calls_per_minute: int = Field(default=30, ge=1, le=10_000)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.provider == "none":
            return self
        schemes = ("tcp", "tls") if self.provider == "ami" else ("http", "https")
        if not re.fullmatch(rf"(?:{'|'.join(schemes)})://[^\s/?#@]+(/\S*)?", self.url):
            raise ValueError(f"HUB_VOICE__URL: must begin with {schemes[0]}:// or {schemes[1]}:// and name a host")
        if "{number}" not in self.endpoint:
            raise ValueError("HUB_VOICE__ENDPOINT: must hold {number}")
        if not self.password.get_secret_value():
            raise ValueError("HUB_VOICE__PASSWORD: is missing")
        if 0 < len(self.callback_secret.get_secret_value()) < 16:
            raise ValueError("HUB_VOICE__CALLBACK_SECRET: must have at least 16 characters")
        return self


class SmsSettings(_Section):
    """Short messages."""

    provider: Literal["none", "aliyun", "tencent", "generic"] = "none"
    url: str = Field(default="", max_length=300)
    """generic: where it is posted to; the others have one."""
    key_id: str = Field(default="", max_length=100)
    key_secret: SecretStr = SecretStr("")
    sign_name: str = Field(default="", max_length=40)
    app_id: str = Field(default="", max_length=40)
    """tencent: SmsSdkAppId."""
    region: str = Field(default="", max_length=40)
    templates: Pairs = {}
    """The hub's template and the provider's number of the registered text: `call_out=SMS_1 test=SMS_2`; `test.en=…`
    for English."""
    params: Pairs = {}
    """In which order a registered text wants its parameters: `call_out=place,what,token`."""
    messages_per_minute: int = Field(default=60, ge=1, le=100_000)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.provider == "none":
            return self
        if self.provider == "generic" or self.url:
            try:
                _web_address(self.url)
            except ValueError as error:
                raise ValueError(f"HUB_SMS__URL: {error}") from None
        if not self.key_secret.get_secret_value():
            raise ValueError("HUB_SMS__KEY_SECRET: is missing")
        if self.provider != "generic":
            if not self.key_id:
                raise ValueError("HUB_SMS__KEY_ID: is missing")
            if not self.sign_name:
                raise ValueError("HUB_SMS__SIGN_NAME: is missing")
            if not self.templates:
                raise ValueError("HUB_SMS__TEMPLATES: is missing; the provider sends registered texts only")
        if self.provider == "tencent" and not self.app_id:
            raise ValueError("HUB_SMS__APP_ID: is missing")
        return self

    def address(self) -> str:
        """Where requests go."""
        own = {"aliyun": "https://dysmsapi.aliyuncs.com", "tencent": "https://sms.tencentcloudapi.com"}
        return (self.url or own.get(self.provider, "")).rstrip("/")

    def orders(self) -> dict[str, tuple[str, ...]]:
        """`params` taken apart."""
        return {name: tuple(part for part in given.split(",") if part) for name, given in self.params.items()}


class ChatSettings(_Section):
    """Chat groups, by name."""

    groups: SecretPairs = {}
    """`night=wecombot://KEY day=dingtalk://SECRET@TOKEN/ grid3=feishu://TOKEN`, separated by blanks."""


class MailSettings(_Section):
    """The mail server."""

    url: SecretStr | None = None
    """`mailtos://user:password@host:465/?from=desk@example.org`; characters such as @ in a password are written %40."""


class PushSettings(_Section):
    """Web push to phones that allowed it."""

    key_file: ReadableFile | None = None
    """A P-256 private key (PEM)."""
    contact: str = Field(default="", pattern=r"^(mailto:\S+@\S+|https://\S+)?$")
    """Whom push services write to when something is wrong."""
    services: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_hosts)] = (
        "fcm.googleapis.com",
        "*.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
    )
    """Hosts that browsers may name as their push service, separated by commas; * stands for one label."""

    def patterns(self) -> tuple[str, ...]:
        """The hosts as regular expressions."""
        return tuple(re.escape(host).replace(r"\*", "[A-Za-z0-9-]+") for host in self.services)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.key_file is not None and not self.contact:
            raise ValueError("HUB_PUSH__CONTACT: is missing; push services want a mailto: or https:// address")
        return self
