"""The hours of a crew bound the day of its people; who is not there then goes alone."""

from __future__ import annotations

from datetime import time

from hub.ports import DayCarer
from hub.service.day_facts import in_crews


def carer(ident: str, crew: str | None, begins: time | None = None, ends: time | None = None) -> DayCarer:
    return DayCarer(
        ident, ident, "carer", None, {}, frozenset(), "van", crew_id=crew, crew_begins=begins, crew_ends=ends
    )


def test_a_crew_goes_out_in_its_hours() -> None:
    hour = 3600
    morning = time(8, 30), time(12, 0)
    carers = {
        "a": carer("a", "van", *morning),
        "b": carer("b", "van", *morning),
        "late": carer("late", "van", *morning),
        "own": carer("own", "car"),
        "off": carer("off", "van", *morning),
    }
    spans = {
        "a": ((8 * hour, 17 * hour),),
        "b": ((7 * hour, 9 * hour), (10 * hour, 11 * hour), (13 * hour, 15 * hour)),
        "late": ((13 * hour, 18 * hour),),
        "own": ((8 * hour, 17 * hour),),
    }
    people, hours = in_crews(carers, spans)
    assert hours["a"] == ((8 * hour + 1800, 12 * hour),)
    assert hours["b"] == ((8 * hour + 1800, 9 * hour), (10 * hour, 11 * hour))
    assert (people["late"].crew_id, hours["late"]) == (None, spans["late"]), "the evening is still theirs"
    assert (people["own"].crew_id, hours["own"]) == ("car", spans["own"]), "a crew without hours has its people's"
    assert "off" not in hours
