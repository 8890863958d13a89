"""What the alarm rules go by: a resident's thresholds and fences, and values that a nurse measured."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Response
from pydantic import AfterValidator, Field, Strict, StringConstraints

from devices.geo import bd09_to_wgs84, gcj02_to_wgs84
from hub.alarms.rules import News2
from hub.api.answers import one
from hub.api.deps import Caller, Hub, HubDep, Who
from hub.api.fields import Flag, Line, Name, Request, SaidText, Text, Time, storable
from hub.api.routing import RecordId, api_router
from hub.api.scope import may_see_resident, person_of
from hub.api.views import View
from hub.api.writes import Write
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.ports import Json
from hub.service import MOST_FENCES, Entered

__all__ = ["router"]

router = api_router("alarm rules")

Minute = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Values = Annotated[dict[str, Any], Field(max_length=60), AfterValidator(storable)]
Corner = Annotated[list[float], Field(min_length=2, max_length=3)]


class Threshold(View):
    id: str
    kind: Literal["number", "clock", "clocks", "flag", "rules"]
    value: Any
    default: Any
    unit: str
    zh: str
    en: str
    low: float | None
    high: float | None
    own: bool = Field(description="The resident's own, not the default")
    changed_by: str | None
    changed_at: datetime | None
    reason: str | None


class ThresholdList(View):
    items: list[Threshold]
    version: int


class ThresholdChange(Request):
    """`values`: id to value; null takes one back to its default."""

    values: Values
    reason: SaidText


class Polygon(Request):
    """A GeoJSON polygon of one ring, corners [longitude, latitude]; the first corner may be repeated as the last."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Annotated[list[Corner], Field(min_length=3, max_length=501)]], Field(min_length=1)]


class FenceFields(Request):
    """A fence. `days`: Monday 1 to Sunday 7; `from` and `to`: local times, neither: the whole day, past midnight
    where `to` is the earlier one.
    """

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    name: Name
    kind: Literal["safe", "forbidden"] = "safe"
    polygon: Polygon
    crs: Literal["wgs84", "gcj02", "bd09"] = "wgs84"
    days: Annotated[list[Annotated[int, Strict(), Field(ge=1, le=7)]], Field(min_length=1, max_length=7)] = Field(
        default_factory=lambda: list(range(1, 8))
    )
    start: Minute | None = Field(default=None, alias="from")
    end: Minute | None = Field(default=None, alias="to")
    slack_m: Annotated[float, Strict(), Field(ge=0, le=500)] = 30.0
    active: Flag = True


class FenceChange(Request):
    """All fences of the resident: what is not in the list is taken away."""

    items: Annotated[list[FenceFields], Field(max_length=MOST_FENCES)]
    reason: SaidText


class Fence(View):
    id: str
    name: str
    kind: Literal["safe", "forbidden"]
    polygon: dict[str, Any] = Field(description="GeoJSON, WGS-84")
    days: list[int]
    start: str | None = Field(alias="from")
    end: str | None = Field(alias="to")
    slack_m: float
    active: bool
    changed_by: str
    changed_at: datetime
    reason: str


class FenceList(View):
    items: list[Fence]
    version: int


class VitalsEntered(Request):
    """What a nurse measured. `measured_by`: whose values they are, where somebody else enters them."""

    observed_at: Time | None = None
    respiration_rpm: Number | None = None
    spo2_pct: Number | None = None
    oxygen: Flag | None = Field(default=None, description="true: on supplemental oxygen; false: on air")
    systolic_mmhg: Number | None = None
    diastolic_mmhg: Number | None = None
    heart_rate_bpm: Number | None = None
    consciousness: Literal["alert", "confusion", "voice", "pain", "unresponsive"] | None = None
    temperature_c: Number | None = None
    glucose_mmol_l: Number | None = None
    measured_by: Line | None = None
    note: Text | None = None


class News2Score(View):
    total: int
    known: int = Field(description="How many of the seven were measured")
    of: int
    partial: bool
    zh: str
    en: str = Field(description="`partial score (k of 7)` unless all seven were measured")
    scale: Literal[1, 2] = Field(description="Of oxygen saturation; 2 only with a target of 88-92 % on record")
    points: dict[str, int]
    not_scored: dict[str, str]
    response: Literal["routine", "low", "urgent", "emergency"]


class VitalsAnswer(View):
    observed_at: datetime
    news2: News2Score
    alarm_id: str | None
    incident_id: str | None


def _seen(hub: Hub, who: Caller, resident_id: str) -> None:
    if not may_see_resident(hub, who, resident_id):
        raise NotFoundError(f"no resident {resident_id}")


@router.get("/residents/{resident_id}/thresholds", response_model=ThresholdList, summary="Thresholds of a resident")
def show_thresholds(hub: HubDep, resident_id: RecordId) -> Response:
    """Every setting of the alarm rules: value, default and bounds; of an own value who set it, when and why."""
    return one(hub.services.rule_desk.thresholds(resident_id))


@router.patch("/residents/{resident_id}/thresholds", response_model=ThresholdList, summary="Change thresholds")
def patch_thresholds(hub: HubDep, write: Write, resident_id: RecordId, body: ThresholdChange) -> Response:
    """Works at once. Every fault is named: 422."""
    if not body.values:
        raise BadRequestError("values: give at least one threshold", field="values")
    values = {name: value for name, value in body.values.items() if value is not None}
    back = frozenset(name for name, value in body.values.items() if value is None)
    desk = hub.services.rule_desk
    return write.once(
        lambda: desk.set_thresholds(resident_id, values, body.reason, write.actor, back=back, version=write.version),
        lambda _done: desk.thresholds(resident_id),
    )


@router.get("/residents/{resident_id}/geofences", response_model=FenceList, summary="Fences of a resident")
def show_fences(hub: HubDep, resident_id: RecordId) -> Response:
    return one(_fences(hub, resident_id))


@router.patch("/residents/{resident_id}/geofences", response_model=FenceList, summary="Change fences")
def patch_fences(hub: HubDep, write: Write, resident_id: RecordId, body: FenceChange) -> Response:
    """Replaces the list; works at once. Places in `crs` gcj02 or bd09 are kept as WGS-84."""
    fences = [_stored(index, given) for index, given in enumerate(body.items)]
    desk = hub.services.rule_desk
    return write.once(
        lambda: desk.set_fences(resident_id, fences, body.reason, write.actor, version=write.version),
        lambda _done: _fences(hub, resident_id),
    )


@router.post(
    "/residents/{resident_id}/vitals", response_model=VitalsAnswer, status_code=201, summary="Enter measured values"
)
def post_vitals(hub: HubDep, who: Who, write: Write, resident_id: RecordId, body: VitalsEntered) -> Response:
    """Kept as observations and scored by NEWS2; urgent and emergency scores raise an alarm, with their reasons.

    Staff must hold a nursing credential; others name the nurse in `measured_by`.
    """
    _seen(hub, who, resident_id)
    if who.role == "staff":
        _nurse(hub, who)
    elif not body.measured_by:
        raise BadRequestError("measured_by: say which nurse measured it", field="measured_by")
    values = body.model_dump(exclude_unset=True)
    return write.once(lambda: hub.services.rule_desk.enter(resident_id, values, write.actor), _entered, status=201)


def _nurse(hub: Hub, who: Caller) -> None:
    with hub.database.begin() as tx:
        responder = tx.responders.get(person_of(who))
    until = responder.skills.get("nursing", date.min) if responder is not None else date.min
    if until is not None and until < hub.clock().astimezone(hub.zone).date():
        raise ForbiddenError("only a nurse enters values that are scored", code="not-a-nurse")


def _entered(done: Entered) -> Json:
    return {
        "observed_at": done.observed_at,
        "news2": _score(done.score),
        "alarm_id": done.alarm_id,
        "incident_id": done.incident_id,
    }


def _score(score: News2) -> Json:
    return {
        **score.summary(),
        "scale": score.scale,
        "points": dict(score.points),
        "not_scored": dict(score.not_scored),
    }


def _stored(index: int, given: FenceFields) -> Json:
    """As the service takes it: corners [lat, lon] in WGS-84, days from 0, minutes of the day."""
    if len(given.polygon.coordinates) > 1:
        raise BadRequestError("a fence has no holes", field=f"items.{index}.polygon")
    if (given.start is None) != (given.end is None):
        raise BadRequestError("from and to go together", field=f"items.{index}.from")
    if given.start is not None and given.start == given.end:
        raise BadRequestError("from and to must differ; leave both out for the whole day", field=f"items.{index}.to")
    turn = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}.get(given.crs)
    ring = [(corner[1], corner[0]) for corner in given.polygon.coordinates[0]]
    if len(ring) > 3 and ring[0] == ring[-1]:
        ring.pop()
    for lat, lon in ring:
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise BadRequestError(f"{lon:g}, {lat:g} is no place", field=f"items.{index}.polygon")
    return {
        **({"id": given.id} if given.id else {}),
        "name": given.name,
        "kind": given.kind,
        "ring": [list(turn(lat, lon) if turn else (lat, lon)) for lat, lon in ring],
        "days": sorted({day - 1 for day in given.days}),
        "from_min": _minutes(given.start),
        "to_min": _minutes(given.end),
        "slack_m": given.slack_m,
        "active": given.active,
    }


def _minutes(clock: str | None) -> int:
    return 0 if clock is None else int(clock[:2]) * 60 + int(clock[3:])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _fences(hub: Hub, resident_id: str) -> Json:
    found = hub.services.rule_desk.fences(resident_id)
    return {"items": [_fence(one) for one in found["items"]], "version": found["version"]}


def _fence(stored: Json) -> Json:
    ring = [[lon, lat] for lat, lon in stored["ring"]]
    whole_day = stored["from_min"] == stored["to_min"]
    return {
        "id": stored["id"],
        "name": stored["name"],
        "kind": stored["kind"],
        "polygon": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
        "days": [day + 1 for day in stored["days"]],
        "from": None if whole_day else _clock(stored["from_min"]),
        "to": None if whole_day else _clock(stored["to_min"]),
        "slack_m": stored["slack_m"],
        "active": stored["active"],
        "changed_by": stored["changed_by"],
        "changed_at": stored["changed_at"],
        "reason": stored["reason"],
    }
