"""Which parts of a hub run in a process: one has them all, or several share a database and a broker."""

from __future__ import annotations

from typing import Literal, get_args

from hub.errors import SettingError
from hub.settings import Settings

__all__ = ["PARTS", "Part", "for_parts", "parse_parts"]

Part = Literal["api", "bridge", "jobs"]
PARTS: tuple[Part, ...] = get_args(Part)


def parse_parts(only: str) -> frozenset[Part]:
    """`--only api,bridge,jobs`; nothing means all. SettingError names the word that is none."""
    words = [word.strip() for word in only.split(",") if word.strip()]
    for word in words:
        if word not in PARTS:
            raise SettingError(f"--only {word}: there is no such part; the parts are {', '.join(PARTS)}")
    return frozenset(part for part in PARTS if part in words or not words)


def for_parts(settings: Settings, parts: frozenset[Part]) -> Settings:
    """A process that runs a part of a hub shares database and broker with the others, and has a folder of its own.

    SettingError where there would be nothing to share.
    """
    if parts == frozenset(PARTS):
        return settings
    if settings.database.url is None:
        raise SettingError("HUB_DATABASE__URL: processes of one hub (--only) must share a database; none is configured")
    if "bridge" in parts and settings.mqtt.url is None:
        raise SettingError("HUB_MQTT__URL: a bridge process (--only) needs the site's broker; none is configured")
    return settings.model_copy(update={"data_dir": settings.data_dir / "-".join(sorted(parts))})
