"""Rotas of any shape, in a week that crosses midnights, months and a holiday."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from hypothesis import strategies as st

from hub.rota import Override, Rotation, Shift

CHINA = timezone(timedelta(hours=8))
MONDAY = date(2026, 9, 28)
START = datetime(2026, 9, 27, 16, 0, tzinfo=UTC)  # midnight at +08:00
PEOPLE = ("A", "B", "C", "D")
ROLES = ("guard", "nurse")

quarters = st.integers(0, 7 * 96)
people = st.sampled_from(PEOPLE)


def at(quarter: int) -> datetime:
    return START + timedelta(minutes=15 * quarter)


@st.composite
def shifts(draw: st.DrawFn, most: int = 8) -> list[Shift]:
    """Up to `most` shifts, overnight ones and overlapping ones among them."""
    found = []
    for number in range(draw(st.integers(0, most))):
        begin = draw(quarters)
        found.append(
            Shift(
                f"s{number}",
                draw(people),
                draw(st.sampled_from(ROLES)),
                at(begin),
                at(begin + draw(st.integers(1, 96))),
                draw(st.sampled_from([frozenset(), frozenset({"G1"}), frozenset({"D"})])),
            )
        )
    return found


@st.composite
def overrides(draw: st.DrawFn, most: int = 5) -> list[Override]:
    found = []
    for number in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(["absent", "instead", "extra"]))
        begin = draw(quarters)
        out, there = draw(st.permutations(PEOPLE))[:2]
        found.append(
            Override(
                f"o{number}",
                kind,  # type: ignore[arg-type]
                at(begin),
                at(begin + draw(st.integers(1, 96))),
                None if kind == "extra" else out,
                None if kind == "absent" else there,
                draw(st.sampled_from(ROLES)) if kind == "extra" else None,
            )
        )
    return found


@st.composite
def rotations(draw: st.DrawFn) -> Rotation:
    members = draw(st.lists(people, unique=True, max_size=4))
    days = draw(st.sampled_from(["every", "workdays", "days_off"]))
    rule = "FREQ=DAILY"
    if days == "every":
        rule = draw(st.sampled_from([rule, "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,WE,SU", "FREQ=WEEKLY"]))
    return Rotation(
        "r",
        "r",
        "guard",
        rule,
        MONDAY - timedelta(days=draw(st.integers(0, 60))),
        time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 30]))),
        draw(st.integers(1, 1_440)),
        tuple(members),
        seats=draw(st.integers(1, 3)),
        turn_unit=draw(st.sampled_from(["shift", "day", "week"])),
        turn_length=draw(st.integers(1, 4)),
        phase=draw(st.integers(-3, 3)),
        days=days,  # type: ignore[arg-type]
    )
