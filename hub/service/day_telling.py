"""Who is told what when a plan becomes real: residents and families of what is theirs, carers once of their day.

Everything goes on the routine lane, so that an alarm never waits behind it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.errors import BadRequestError
from hub.notices import Notice
from hub.ports import DayOrder, Transaction, VisitRow
from hub.ports.notices import NoticeRow
from hub.service.day_facts import DAY, DayFacts, Standing
from hub.service.notifying import notice_row

__all__ = ["Told", "tell_people"]

_SOONEST = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Told:
    """A visit that is different: as it was, as it is, and for whom."""

    one: DayOrder
    visit: VisitRow
    was: Standing | None
    now: Standing | None
    tell: frozenset[str]


def tell_people(tx: Transaction, facts: DayFacts, changed: Sequence[Told], now: datetime, *, plan_id: str) -> int:
    """Keeps the notices; gives how many."""
    home = [one for one in changed if one.tell & {"resident", "contact"} and one.one.order.resident_id is not None]
    parties = tx.day_plans.parties({one.one.order.person for one in home}) if home else {}
    rows: list[NoticeRow] = []
    for one in home:
        template, params = _words(facts, one)
        for party in parties.get(one.one.order.person, ()):
            if party.split(":", 1)[0] in one.tell:
                rows += _row(facts, party, template, params, now, key=f"{plan_id}|{one.visit.id}|{party}")
    days: dict[str, int] = {}
    for one in changed:
        if "responder" in one.tell:
            for carer in _carers_told(one):
                days[carer] = days.get(carer, 0) + 1
    for carer, many in sorted(days.items()):
        params = {"day": facts.day.strftime("%m-%d"), "count": str(many)}
        rows += _row(facts, f"responder:{carer}", "route_changed", params, now, key=f"{plan_id}|{carer}")
    return tx.day_plans.tell(rows)


def _carers_told(one: Told) -> set[str]:
    """Whose day is different with it: who comes new, who falls away, both where the time is another."""
    was = set(one.was.carers) if one.was is not None else set()
    now = set(one.now.carers) if one.now is not None else set()
    if one.was is not None and one.now is not None and one.was.start == one.now.start:
        return was ^ now
    return was | now


def _words(facts: DayFacts, one: Told) -> tuple[str, dict[str, str]]:
    day = facts.day.strftime("%m-%d")
    what, what_en = str(one.one.kind.get("zh") or one.one.order.kind), str(one.one.kind.get("en") or one.one.order.kind)
    if one.now is None:
        return "visit_off", {"day": day, "what": what, "what_en": what_en}
    low, high = one.visit.promised_from, one.visit.promised_to
    span = "–".join(facts.at(facts.second(at)).strftime("%H:%M") for at in (low, high) if at is not None)
    who = "、".join(facts.carers[carer].name for carer in one.now.carers if carer in facts.carers)
    told_before = one.one.visit.promised_from is not None
    params = {"day": day, "what": what, "what_en": what_en, "span": span, "who": who}
    return ("visit_moved" if told_before else "visit_planned"), params


def _row(
    facts: DayFacts, party: str, template: str, params: dict[str, str], now: datetime, *, key: str
) -> Iterator[NoticeRow]:
    # A word about a day that is over helps nobody.
    expires = max(facts.at(DAY), now + _SOONEST)
    notice = Notice(
        None, party, "push", template, params=params, lane="routine", until="sent", expires_at=expires, key=key
    )
    with suppress(BadRequestError):  # a name or an id that gives no notice: the plan is real all the same
        yield notice_row(notice, now=now)
