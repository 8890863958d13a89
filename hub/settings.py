"""All settings, from the environment (`HUB_…`, nested with `__`) or from `hub.toml`; the environment wins.

The only place that reads the environment. docs/operations.md has the table. A setting is always named in its
environment form in messages, wherever it was written, and a message never repeats its value: it may be a password.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

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
from hub.settings_network import HttpSettings, MqttAddress, MqttSettings, TcpSettings, parse_mqtt_url
from hub.settings_notify import (
    ChatSettings,
    MailSettings,
    NotifySettings,
    PushSettings,
    SmsSettings,
    VoiceSettings,
)
from hub.settings_services import ServicesSettings
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
    services: ServicesSettings = ServicesSettings()
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
