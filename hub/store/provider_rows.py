"""Which rows of the registers are a provider's: conditions on `t`, with the provider as %(provider)s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["OF_PROVIDER"]

_SERVED: Final = """(
    SELECT o.resident_id FROM orders o
    WHERE o.provider_id = %(provider)s AND o.wanted_from > now() - interval '400 days' AND o.state <> 'cancelled'
    UNION
    SELECT p.resident_id FROM care_plans p WHERE p.provider_id = %(provider)s AND p.active)"""
"""Residents whom the provider serves, or served within the time in which a month may be disputed."""

OF_PROVIDER: Final[Mapping[str, str]] = {
    "providers": "t.id = %(provider)s",
    "residents": f"t.id IN {_SERVED}",
    "contacts": f"t.resident_id IN {_SERVED}",
    "entitlements": f"t.resident_id IN {_SERVED}",
    "stations": "t.provider_id IS NULL OR t.provider_id = %(provider)s",
    "meal_dishes": "t.station_id IS NULL OR t.station_id IN"
    " (SELECT s.id FROM stations s WHERE s.provider_id = %(provider)s)",
    "tariffs": "t.provider_id IS NULL OR t.provider_id = %(provider)s",
    "responders": "provider_of_responder(t.id) = %(provider)s",
    "crews": "EXISTS (SELECT 1 FROM crew_members m"
    " WHERE m.crew_id = t.id AND provider_of_responder(m.responder_id) = %(provider)s)",
    "shifts": "provider_of_responder(t.responder_id) = %(provider)s",
}
"""Table -> condition. A table that is not here has no rows of a provider."""
