"""Who pays for what: the waterfall adds up, and nothing is paid twice, nor after admission or death."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.accounts import (
    AccountsError,
    Entitlement,
    Judged,
    Paid,
    ProviderTerms,
    Resident,
    Service,
    StatusChange,
    Tariff,
    Terms,
    Used,
    divide,
    judge,
    judge_all,
    month_of,
    next_month,
    status_at,
    tariff_for,
    yuan,
)
from hub.accounts.facts import Facts, service_of
from hub.accounts.time_bank import banked_minutes

CHINA = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 10, 12, 0, tzinfo=CHINA)
FIRST = date(2026, 1, 1)
LUNCH = Tariff("T1", "meal_dine_in", "visit", 1500, FIRST)
CARE = Tariff("T2", "companionship", "minute", 100, FIRST)


def meal(number: int = 1, at: datetime = NOON, resident: str = "R1", card: str | None = "K1", **fields: Any) -> Service:
    key = f"{resident}|{at.date()}|lunch"
    return Service(
        order_id=f"o{number}",
        visit_id=f"v{number}",
        number=number,
        kind="meal_dine_in",
        resident_id=resident,
        provider_id="P1",
        on=at.date(),
        started_at=at,
        ended_at=at,
        ordered_min=45,
        card_key=f"{card}|{at.date()}|lunch" if card else None,
        meal_key=key,
        **fields,
    )


def visit(number: int, at: datetime, minutes: int, resident: str = "R1", **fields: Any) -> Service:
    return Service(
        order_id=f"o{number}",
        visit_id=f"v{number}",
        number=number,
        kind="companionship",
        resident_id=resident,
        provider_id="P1",
        on=at.astimezone(CHINA).date(),
        started_at=at,
        ended_at=at + timedelta(minutes=minutes),
        ordered_min=60,
        **fields,
    )


def subsidy(**fields: Any) -> Entitlement:
    return Entitlement(**{"id": "E1", "resident_id": "R1", "payer": "subsidy", "from_on": FIRST, **fields})


def terms(*entitlements: Entitlement, **fields: Any) -> Terms:
    return Terms(
        **{
            "providers": {"P1": ProviderTerms("P1")},
            "tariffs": (LUNCH, CARE),
            "entitlements": {"R1": entitlements or (subsidy(),)},
            **fields,
        }
    )


def codes(judged: Judged) -> list[str]:
    return [why.code for why in judged.reasons]


def test_a_meal_is_paid_once_a_card_and_not_after_admission() -> None:
    admitted = Resident("hospital", None, (StatusChange(NOON + timedelta(days=2, minutes=1), "home", "hospital"),))
    days = [meal(n, NOON + timedelta(days=n - 1)) for n in range(1, 4)]
    again = replace(meal(9, NOON + timedelta(minutes=20)), resident_id="R2", meal_key="R2|x")
    found = {one.service.number: one for one in judge_all([*days, again], terms(residents={"R1": admitted}))}
    assert [found[n].verdict for n in (1, 2, 3, 9)] == ["claimed", "claimed", "claimed", "refused"]
    assert codes(found[9]) == ["twice_on_card"]
    assert found[9].reasons[0].values["number"] == 1
    late = judge(meal(4, NOON + timedelta(days=3)), terms(residents={"R1": admitted}))
    assert (late.verdict, codes(late), late.reasons[0].zh) == ("refused", ["admitted"], "入院后的服务")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"proof": "missing"}, "unverified"),
        ({"rejected": "照片不符"}, "rejected"),
        ({"provider_id": None}, "no_provider"),
        ({"provider_id": "P9"}, "no_provider"),
        ({"kind": "bathing"}, "no_tariff"),
        ({"on": date(2025, 12, 31)}, "no_tariff"),
        ({"resident_id": "R3", "meal_key": None}, "no_entitlement"),
    ],
)
def test_every_refusal_says_why(change: dict[str, Any], code: str) -> None:
    judged = judge(replace(meal(), **change), terms())
    assert (judged.verdict, judged.price_fen, judged.shares) == ("refused", 0, ())
    assert codes(judged)[0] == code
    assert judged.reasons[0].zh
    assert judged.reasons[0].en


def test_a_provider_is_paid_inside_its_kinds_and_areas_only() -> None:
    inside = ProviderTerms("P1", kinds=frozenset({"meal_dine_in"}), area_ids=frozenset({"D"}))
    with_area = replace(meal(), area_path=("D", "G1"))
    assert judge(with_area, terms(providers={"P1": inside})).verdict == "claimed"
    assert codes(judge(meal(), terms(providers={"P1": inside}))) == ["outside_area"]
    other = replace(inside, kinds=frozenset({"bathing"}))
    assert codes(judge(with_area, terms(providers={"P1": other}))) == ["kind_not_given"]
    assert codes(judge(with_area, terms(providers={"P1": replace(inside, active=False)}))) == ["provider_inactive"]


def test_what_is_flagged_waits_and_keeps_its_quota() -> None:
    one_meal = terms(subsidy(quota=1))
    held, second = judge_all([meal(1, proof="flagged", flags=("far",)), meal(2, NOON + timedelta(days=1))], one_meal)
    assert (held.verdict, held.price_fen, codes(held)[0]) == ("held", 1500, "flagged")
    assert (second.verdict, codes(second)) == ("refused", ["quota", "quota_used"])


def test_the_waterfall_goes_on_with_the_next_payer_and_asks_the_family_last() -> None:
    insurance = Entitlement("E2", "R1", "long_term_care", FIRST, unit="minutes", quota=40, copay_percent=10, priority=1)
    charity = Entitlement("E3", "R1", "charity", FIRST, unit="fen", quota=500, priority=2)
    family = Entitlement("E4", "R1", "family", FIRST)
    judged = judge(visit(1, NOON, 60), terms(insurance, charity, family))
    assert [(one.payer, one.fen) for one in judged.shares] == [
        ("long_term_care", 3600),
        ("family", 400),
        ("charity", 500),
        ("family", 1500),
    ]
    assert judged.price_fen == 6000
    nobody = judge(visit(1, NOON, 60), terms(insurance, charity))
    assert (nobody.verdict, codes(nobody)[0], nobody.reasons[0].values["fen"]) == ("refused", "no_entitlement", 1500)


def test_who_pays_the_rest_is_charged_the_minutes_of_the_rest() -> None:
    insurance = Entitlement("E2", "R1", "long_term_care", FIRST, unit="minutes", quota=40, priority=1)
    charity = Entitlement("E3", "R1", "charity", FIRST, unit="minutes", quota=30, priority=2)
    first, second = judge_all([visit(1, NOON, 60), visit(2, NOON + timedelta(days=1), 10)], terms(insurance, charity))
    assert [(one.payer, one.fen, one.minutes) for one in first.shares] == [
        ("long_term_care", 4000, 40),
        ("charity", 2000, 20),
    ]
    assert [(one.payer, one.fen, one.minutes) for one in second.shares] == [("charity", 1000, 10)]


def test_quotas_and_caps_are_of_the_month_the_service_was_given_in() -> None:
    day = datetime(2026, 11, 30, 23, 50, tzinfo=CHINA)
    both = judge_all(
        [visit(1, day, 5), visit(2, day + timedelta(minutes=20), 5)],
        terms(subsidy(quota=1), used={("E1", "2026-12"): Used(0)}),
    )
    assert [one.verdict for one in both] == ["claimed", "claimed"]
    capped = replace(CARE, cap_fen=7_000)
    found = judge_all(
        [visit(n, NOON + timedelta(days=n), 60) for n in range(3)],
        terms(tariffs=(capped,), entitlements={"R1": (subsidy(),)}),
    )
    assert [one.price_fen for one in found] == [6_000, 1_000, 0]
    assert [codes(one)[-1] for one in found[1:]] == ["paid", "cap"]


def test_the_providers_own_tariff_is_before_everybodys_and_the_latest_counts() -> None:
    own = replace(LUNCH, id="own", provider_id="P1", price_fen=1600, to_on=date(2026, 6, 30))
    later = replace(LUNCH, id="later", price_fen=1700, from_on=date(2026, 7, 1))
    here = replace(LUNCH, id="here", price_fen=1800, area_ids=frozenset({"G1"}))
    tariffs = (LUNCH, own, later, here)
    assert tariff_for(tariffs, "meal_dine_in", "P1", date(2026, 6, 30)) == own
    assert tariff_for(tariffs, "meal_dine_in", "P1", date(2026, 7, 1)) == later
    assert tariff_for(tariffs, "meal_dine_in", "P2", date(2026, 6, 30)) == LUNCH
    assert tariff_for(tariffs, "meal_dine_in", "P2", date(2026, 7, 1), ("C", "G1")) == here
    assert tariff_for(tariffs, "meal_dine_in", "P2", date(2025, 7, 1)) is None


ENTITLEMENTS = st.lists(
    st.builds(
        Entitlement,
        id=st.uuids().map(str),
        resident_id=st.just("R1"),
        payer=st.sampled_from(["subsidy", "long_term_care", "charity"]),
        from_on=st.just(FIRST),
        unit=st.sampled_from(["visits", "minutes", "fen"]),
        quota=st.none() | st.integers(0, 5_000),
        copay_percent=st.integers(0, 100),
        priority=st.integers(0, 3),
    ),
    max_size=5,
    unique_by=lambda one: one.id,
)


@given(price=st.integers(1, 1_000_000), minutes=st.integers(0, 600), entitlements=ENTITLEMENTS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_shares_and_rest_add_up_to_the_price(
    price: int, minutes: int, entitlements: list[Entitlement], data: st.DataObject
) -> None:
    used = {
        one.id: data.draw(st.builds(Used, st.integers(0, 50), st.integers(0, 5_000), st.integers(0, 5_000)))
        for one in entitlements
    }
    first = data.draw(st.sampled_from([None, "subsidy", "long_term_care", "charity", "family"]))
    shares, rest, _ = divide(price, minutes, "companionship", FIRST, entitlements, used, first)
    plain, plain_rest, _ = divide(price, minutes, "companionship", FIRST, entitlements, used)
    asked = [one.id for one in entitlements if one.payer == first]
    if not asked:
        assert (shares, rest) == (plain, plain_rest), "naming a payer nobody is entitled to changes nothing"
    elif set(asked) & {share.entitlement_id for share in shares}:
        assert shares[0].entitlement_id in asked
    assert sum(share.fen for share in shares) + rest == price
    assert rest >= 0
    assert all(share.fen > 0 for share in shares)
    for one in entitlements:
        of_one = [share for share in shares if share.entitlement_id == one.id and share.why.code == "paid"]
        if one.quota is not None and of_one:
            after = {"visits": 1, "minutes": of_one[0].minutes, "fen": of_one[0].fen}[one.unit]
            assert used[one.id].of(one.unit) + after <= one.quota
        own = sum(share.fen for share in shares if share.entitlement_id == one.id and share.why.code == "copay")
        paid = sum(share.fen for share in of_one)
        assert own * 100 <= (own + paid) * one.copay_percent


STATUSES = st.sampled_from(["home", "away", "hospital", "moved", "deceased"])


@given(
    starts=st.lists(st.tuples(st.integers(0, 60 * 24 * 20), st.integers(0, 90), st.booleans()), max_size=25),
    statuses=st.lists(st.tuples(st.integers(0, 60 * 24 * 20), STATUSES), max_size=4),
    quota=st.integers(0, 30),
)
@settings(max_examples=100, deadline=None)
def test_no_service_is_paid_twice_nor_after_admission_or_death(
    starts: list[tuple[int, int, bool]], statuses: list[tuple[int, str]], quota: int
) -> None:
    begin = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
    changes: list[StatusChange] = []
    before = "home"
    for minute, status in sorted(statuses):
        changes.append(StatusChange(begin + timedelta(minutes=minute), before, status))
        before = status
    services = [
        meal(n, begin + timedelta(minutes=at)) if is_meal else visit(n, begin + timedelta(minutes=at), length)
        for n, (at, length, is_meal) in enumerate(starts)
    ]
    # Everything is claimed twice over.
    judged = judge_all(
        [*services, *services], terms(subsidy(quota=quota), residents={"R1": Resident(before, None, tuple(changes))})
    )
    paid = [one.service for one in judged if one.verdict == "claimed"]
    assert len({one.order_id for one in paid}) == len(paid) <= quota
    meals = [one.meal_key for one in paid if one.kind == "meal_dine_in"]
    assert len(set(meals)) == len(meals)
    for one in paid:
        assert status_at(one.started_at, changes, before, None) in ("home", "away")
    visits = sorted((one.started_at, one.ended_at) for one in paid if one.kind == "companionship")
    assert all(first[1] <= second[0] or first[0] == first[1] for first, second in pairwise(visits))
    # What was paid once is not paid again by a later run.
    known = tuple(
        Paid(one.order_id, one.resident_id, one.kind, one.started_at, one.ended_at, one.card_key, one.meal_key)
        for one in paid
    )
    again = judge_all(paid, terms(paid=known))
    assert {one.verdict for one in again} <= {"refused"}


def test_whom_the_order_names_pays_first_where_entitled() -> None:
    fund = Entitlement("E2", "R1", "charity", FIRST, unit="visits", quota=1, priority=200)
    family = Entitlement("E3", "R1", "family", FIRST, priority=300)
    payers = terms(subsidy(), fund, family)
    one, two, three = (visit(n, NOON + timedelta(days=n), 60, payer="charity") for n in (1, 2, 3))
    plain = judge_all([visit(9, NOON, 60)], payers)[0]
    assert [share.payer for share in plain.shares] == ["subsidy"]
    first, second = judge_all([one, two], payers)
    assert [share.payer for share in first.shares] == ["charity"]
    assert codes(first)[:2] == ["price", "payer_named"]
    assert "慈善基金" in first.reasons[1].zh
    # Its quota is used up: the others pay in their order, and the line says why.
    assert [share.payer for share in second.shares] == ["subsidy"]
    assert {"payer_named", "quota_used"} <= set(codes(second))
    # Nobody is made to pay who need not: no entitlement, no change but the word.
    insured = visit(5, NOON, 60, payer="long_term_care")
    judged = judge_all([insured], payers)[0]
    assert ([share.payer for share in judged.shares], codes(judged)[1]) == (["subsidy"], "payer_not_entitled")
    only_meals = terms(subsidy(), Entitlement("E4", "R1", "charity", FIRST, kinds=frozenset({"meal_delivery"})))
    assert "payer_not_entitled" in codes(judge_all([three], only_meals)[0])
    offered = judge_all([visit(6, NOON, 60, payer="family")], payers)[0]
    assert [(share.payer, share.fen) for share in offered.shares] == [("family", offered.price_fen)]


def test_status_before_the_first_change_and_without_any() -> None:
    change = StatusChange(NOON, "hospital", "home")
    assert status_at(NOON - timedelta(days=1), [change], "home", NOON) == "hospital"
    assert status_at(NOON, [change], "home", NOON) == "home"
    assert status_at(NOON, [], "deceased", NOON - timedelta(days=1)) == "deceased"
    assert status_at(NOON - timedelta(days=2), [], "deceased", NOON - timedelta(days=1)) == "home"
    assert status_at(NOON, [], "moved", None) == "moved"


def facts(**fields: Any) -> Facts:
    base = {"order_id": "o", "visit_id": "v", "number": 1, "kind": "companionship", "resident_id": "R1"}
    return Facts(**{**base, "provider_id": "P1", "wanted_from": NOON, "ordered_min": 60, **fields})


def test_what_proves_a_service() -> None:
    hour = timedelta(hours=1)
    checked = service_of(facts(checked_in=NOON, checked_out=NOON + 2 * hour), CHINA)
    assert (checked.proof, checked.minutes) == ("verified", 60)
    flagged = service_of(facts(checked_in=NOON, checked_out=NOON + hour, flags=("far",)), CHINA)
    assert (flagged.proof, flagged.flags) == ("flagged", ("far",))
    assert service_of(facts(arrived_at=NOON, left_at=NOON + hour), CHINA).proof == "verified"
    assert service_of(facts(arrived_at=NOON, left_at=NOON + hour, steps_missing=1), CHINA).proof == "missing"
    assert service_of(facts(), CHINA).proof == "missing"
    tap = service_of(facts(kind="meal_delivery", meal_result="handed_over", meal_at=NOON, card="K7"), CHINA)
    assert (tap.proof, tap.card_key, tap.meal_key) == ("verified", "K7|2026-11-10|lunch", "R1|2026-11-10|lunch")
    night = service_of(facts(checked_in=datetime(2026, 11, 30, 16, 30, tzinfo=UTC), checked_out=NOON), CHINA)
    assert night.on == date(2026, 12, 1)
    assert night.minutes == 0


def test_words_of_months_and_money() -> None:
    assert (month_of(date(2026, 3, 9)), next_month("2026-12")) == ("2026-03", "2027-01")
    assert (yuan(5), yuan(-1234), yuan(100_00)) == ("0.05", "-12.34", "100.00")
    with pytest.raises(AccountsError):
        next_month("2026-13")
    assert banked_minutes(NOON, NOON + timedelta(minutes=61, seconds=59), 90) == 61
    assert banked_minutes(NOON, NOON - timedelta(minutes=5), 90) == 0
    assert banked_minutes(NOON, NOON + timedelta(hours=5), 90) == 90
