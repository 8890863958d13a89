"""Settings of the pages: whose desk it is, and which base map it shows. Read by `hub.settings`, like all settings."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["MapSettings", "SiteSettings"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is no time zone; names look like Asia/Shanghai") from None
    return name


def _tiles_address(url: str) -> str:
    if not (url.startswith("/") or re.match(r"https?://[^/\s]+/", url)):
        raise ValueError("must begin with https://, http:// or, for tiles of this machine, with /")
    if not all(part in url for part in ("{x}", "{y}", "{z}")):
        raise ValueError("must hold {x}, {y} and {z}")
    if re.search(r"[\s;,\"']", url):
        raise ValueError("must not hold blanks, quotes, commas or semicolons")
    return url


class SiteSettings(_Section):
    """Whose desk it is."""

    name: str = Field(default="", max_length=60)
    """Stands in the header, on hand-over sheets and on the wall screen."""
    phone: str = Field(default="", max_length=32, pattern=r"^[0-9+*#() \-]*$")
    """The desk's own number, read out to 120 as the one to call back."""
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    """Of every time a page shows, and of the midnight at which a day of orders begins."""
    hours_expire_days: int = Field(default=0, ge=0, le=36_500)
    """Banked hours that lie longer are taken back by the time bank; 0: they never are."""


class MapSettings(_Section):
    """A base map from elsewhere; without one the map shows the customer's own areas and works with no network."""

    tiles_url: Annotated[str, AfterValidator(_tiles_address)] | None = None
    """With {x}, {y}, {z} and, where there are several servers, {s}."""
    tiles_subdomains: str = Field(default="0123", min_length=1, max_length=20, pattern=r"^[a-z0-9]+$")
    tiles_crs: Literal["wgs84", "gcj02"] = "wgs84"
    """What the tiles are drawn in; positions are stored in WGS-84 and moved on the screen only."""
    tiles_attribution: str = Field(default="", max_length=200)
    """Shown on the map; published maps need their approval number here."""
    tiles_max_zoom: int = Field(default=18, ge=1, le=22)

    @property
    def origin(self) -> str | None:
        """Where tiles come from, as a content security policy names it; None: from here, or from nowhere."""
        if self.tiles_url is None or self.tiles_url.startswith("/"):
            return None
        scheme, _, rest = self.tiles_url.partition("://")
        host = rest.split("/", 1)[0]
        return f"{scheme}://{_wider(host) if '{s}' in host else host}"


def _wider(host: str) -> str:
    """`t{s}.example.org` as `*.example.org`: a policy's wildcard stands for whole labels only."""
    return "*." + host.split(".", 1)[1] if "." in host else host
