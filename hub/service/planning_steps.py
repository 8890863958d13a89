"""Who the parties of a plan's tier are, here and now: the resident's contacts, the area tree, the rota, the ranking."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from dispatch import Candidate, Request, Travel, propose
from hub.alarms import DESK_ROLES, ROLE_LABELS, Asked, Incident, Party, PartyPart, PartyRole, PlanTier
from hub.clock import IdSource
from hub.ports import PlanContact, Transaction
from hub.service.oncall import on_call
from hub.service.requests import request_of_incident

__all__ = ["TierPeople", "supervisors_of"]

_ROTA_ROLES: Final[Mapping[PartyRole, tuple[str, ...]]] = {
    "guard": ("guard",),
    "micro_grid_leader": ("micro_grid_leader",),
    "grid_officer": ("grid_officer",),
    "station_nurse": ("station_nurse", "nurse"),
    "community_doctor": ("community_doctor", "doctor"),
}
"""What the rota calls a role; the first one that anybody has here."""

_CONTACTS: Final[Mapping[PartyRole, Callable[[PlanContact], bool]]] = {
    "contact": lambda one: one.kind in ("family", "neighbour", "other"),
    "keyholder": lambda one: one.has_key,
    "guard": lambda one: one.kind == "guard",
    "community_doctor": lambda one: one.kind == "doctor",
}
"""Which of a resident's contacts a role means. They come before the rota: they know the door."""

_KIND_OF_CONTACT: Final[Mapping[str, str]] = {"doctor": "doctor", "guard": "guard", "neighbour": "neighbour"}


@dataclass(slots=True)
class TierPeople:
    """Finds people for the tiers of one incident, inside one transaction. `candidates`: those found by the ranking."""

    tx: Transaction
    incident: Incident
    now: datetime
    new_id: IdSource
    travel: Travel
    zone: tzinfo
    _request: Request | None = None
    _contacts: list[PlanContact] | None = None

    def of_tier(self, tier: PlanTier) -> list[Asked]:
        """Everybody whom the tier means, its parties in their order; somebody who is meant twice comes once."""
        found: dict[str, Asked] = {}
        for party in tier.parties:
            people = [one for one in self._of_party(party) if one.ref not in found]
            for one in people[: party.most or None]:
                found[one.ref] = one
        return list(found.values())

    def candidate(self, responder_id: str) -> Candidate | None:
        """The person judged for this incident, with the reasons for and against; None: there is no such responder."""
        responder = self.tx.responders.get(responder_id)
        if responder is None:
            return None
        return propose(self._wanted(), [responder], now=self.now.astimezone(self.zone), travel=self.travel)[0]

    def _wanted(self) -> Request:
        if self._request is None:
            self._request = request_of_incident(self.tx, self.incident)
        return self._request

    def _of_party(self, party: Party) -> list[Asked]:
        role, part = party.role, party.part
        if role in DESK_ROLES:
            number = DESK_ROLES[role]
            return [Asked(f"number:{number}", ROLE_LABELS[role][0], role, "know", number, why="dialled by the desk")]
        if role == "supervisor":
            return supervisors_of(self.tx, self.incident, self.now)
        if role == "qualified":
            return self._qualified(part)
        return [*self._of_contacts(role, part), *self._of_rota(role, part)]

    def _qualified(self, part: PartyPart) -> list[Asked]:
        request = self._wanted()
        people = self.tx.responders.on_duty(request.area_path, self.now)
        ranked = propose(request, people, now=self.now.astimezone(self.zone), travel=self.travel)
        return [
            self._asked(one.responder_id, one.name, "qualified", part, None, "; ".join(r.text for r in one.reasons))
            for one in ranked
            if one.eligible
        ]

    def _of_contacts(self, role: PartyRole, part: PartyPart) -> list[Asked]:
        means = _CONTACTS.get(role)
        if means is None or self.incident.resident_id is None:
            return []
        if self._contacts is None:
            self._contacts = self.tx.plans.contacts(self.incident.resident_id)
        found = []
        for one in self._contacts:
            if not means(one) or not (one.phone or one.responder_id):
                continue
            why = f"contact of the resident ({one.kind}{', has a key' if one.has_key else ''})"
            if part == "know":
                found.append(Asked(f"contact:{one.id}", one.name, role, "know", one.phone, why=why))
            elif (responder_id := self._as_responder(one)) not in self._wanted().never:
                found.append(self._asked(responder_id, one.name, role, part, one.phone, why))
        return found

    def _of_rota(self, role: PartyRole, part: PartyPart) -> list[Asked]:
        request = self._wanted()
        for name in _ROTA_ROLES.get(role, ()):
            people = on_call(self.tx, name, self.incident.area_id, self.now)
            found = [
                self._asked(
                    one.responder_id, one.name, role, part, one.phone, "; ".join(reason.text for reason in one.reasons)
                )
                for one in people
                if one.responder_id not in request.never and one.responder_id != request.caller
            ]
            if found:
                return found
        return []

    def _asked(
        self, responder_id: str, name: str, role: PartyRole, part: PartyPart, phone: str | None, why: str
    ) -> Asked:
        assignment_id = self.new_id() if part == "go" else None
        return Asked(f"responder:{responder_id}", name, role, part, phone, assignment_id, why)

    def _as_responder(self, contact: PlanContact) -> str:
        """The responder who is this contact, made where there is none: whoever accepts is then watched like anybody
        who goes. Never on duty, so that nobody else's emergency finds them.
        """
        if contact.responder_id is not None:
            return contact.responder_id
        responder_id = f"contact-{contact.id}"
        if self.tx.reference.get("responders", responder_id) is None:
            self.tx.reference.insert(
                "responders",
                {
                    "id": responder_id,
                    "name": contact.name,
                    "kind": _KIND_OF_CONTACT.get(contact.kind, "family"),
                    "phone": contact.phone,
                    "area_ids": [self.incident.area_id] if self.incident.area_id else [],
                    "mode": "foot" if contact.kind in ("neighbour", "guard") else "car",
                    "on_duty": False,
                },
            )
        self.tx.reference.patch("contacts", contact.id, {"responder_id": responder_id}, version=None)
        return responder_id


def supervisors_of(tx: Transaction, incident: Incident, now: datetime) -> list[Asked]:
    """Who supervises here: by the rota, else whoever has an account as supervisor, those on duty first."""
    by_rota = on_call(tx, "supervisor", incident.area_id, now)
    if by_rota:
        return [
            Asked(
                f"responder:{one.responder_id}",
                one.name,
                "supervisor",
                "know",
                one.phone,
                why="; ".join(reason.text for reason in one.reasons),
            )
            for one in by_rota
        ]
    return [
        Asked(f"user:{user_id}", name, "supervisor", "know", phone, why="has an account as supervisor")
        for user_id, name, phone in tx.plans.supervisors(now)
    ]
