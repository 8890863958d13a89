"""Use cases: each method is one transaction against the ports. Nothing here knows PostgreSQL, MQTT or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from devices import Codec
from dispatch import Travel
from hub.alarms import DEFAULT_POLICY, EscalationPolicy
from hub.clock import Clock, IdSource
from hub.notices import Channel
from hub.notices.pacing import QuietHours
from hub.ports import Database, Outlet, Transaction
from hub.service.answering import Answering, LinkView
from hub.service.area_codes import MATTERS, AreaCodes
from hub.service.asking import DeviceAsks
from hub.service.calls import Calls
from hub.service.care import Care
from hub.service.care_orders import PlanOrders
from hub.service.claiming_together import ClaimingTogether, Together
from hub.service.claims import Claims
from hub.service.commands import CommandDesk
from hub.service.credentials import Credentials
from hub.service.day_planning import DayPlanning, DayWork
from hub.service.day_services import DayServices, day_services
from hub.service.devices import DeviceRegister
from hub.service.dispatching import Dispatching, StepName
from hub.service.disputing import Disputing
from hub.service.escalating import Escalating
from hub.service.everyday import Everyday, EverydayTimes, build_everyday
from hub.service.following import Following
from hub.service.foreseeing import Foreseeing
from hub.service.handling import Handling, Sample
from hub.service.handovers import Handovers
from hub.service.homes import PHOTO_BYTES, Homes
from hub.service.ingest import Ingest
from hub.service.intake import Intake
from hub.service.load import LoadDesk, Looked
from hub.service.matters import COLOURS, LoopTimes, MatterDesk
from hub.service.meal_desk import MealDesk
from hub.service.meal_door import DoorTap, MealDoor
from hub.service.meal_kitchen import OVERRIDERS, MealKitchen
from hub.service.meal_rounds import MealRounds, Solve
from hub.service.meals import MealServices
from hub.service.measuring import Measuring
from hub.service.medical import Teleconsults, VisitResults, check_particulars, fields_of
from hub.service.notifying import notify, withdraw
from hub.service.onboarding import Onboarding
from hub.service.path_tests import PATH_DEVICE, PathTests, Probe, Probed
from hub.service.patrols import PATROL_MATTERS, PatrolDesk
from hub.service.positions import Positions
from hub.service.power import PowerCuts
from hub.service.prepared import Prepared
from hub.service.profiles import ProfileRegister
from hub.service.programme_people import participant_json
from hub.service.proof import Proofs
from hub.service.push_shelter import Sheltered
from hub.service.pushes import Pushes
from hub.service.quarantine import QuarantineDesk
from hub.service.raising import Raising
from hub.service.recommending import Recommending, recommendation_json
from hub.service.repairs import RepairOutcome, Repairs
from hub.service.response_plans import PlanBook, ResponsePlans
from hub.service.response_plans_desk import PlanDesk, VoiceHeard
from hub.service.response_plans_progress import plan_progress
from hub.service.rota import RotaDesk
from hub.service.rota_board import RotaBoard
from hub.service.rule_desk import MOST_FENCES, Entered, RuleDesk
from hub.service.ruling import Ruled, Ruling
from hub.service.satisfaction import ReturnVisitTimes
from hub.service.sending import Counted, Parcel, Sending, Wording, count_nothing
from hub.service.sensors import Sensors
from hub.service.settling import ClaimsWanted, Settling
from hub.service.supervising import Supervised, Supervising
from hub.service.time_banking import TimeBanking
from hub.service.under_way import UnderWay
from hub.service.visits import Tended, VisitDesk
from hub.service.vitals_rounds import VitalsRounds
from hub.service.webhooks import WEBHOOK_EVENTS, WebhookDesk
from hub.service.windows import WindowDesk
from hub.service.wording_desk import WordingDesk
from hub.service.writing import Writer

__all__ = [
    "COLOURS",
    "MATTERS",
    "MOST_FENCES",
    "OVERRIDERS",
    "PATH_DEVICE",
    "PATROL_MATTERS",
    "PHOTO_BYTES",
    "WEBHOOK_EVENTS",
    "Answering",
    "AreaCodes",
    "Calls",
    "Care",
    "ClaimingTogether",
    "Claims",
    "ClaimsWanted",
    "CommandDesk",
    "Counted",
    "Credentials",
    "DayPlanning",
    "DayServices",
    "DayWork",
    "DeviceRegister",
    "Dispatching",
    "Disputing",
    "DoorTap",
    "Entered",
    "Escalating",
    "Everyday",
    "EverydayTimes",
    "Following",
    "Foreseeing",
    "Handling",
    "Handovers",
    "Homes",
    "Ingest",
    "Intake",
    "LinkView",
    "LoadDesk",
    "Looked",
    "LoopTimes",
    "MatterDesk",
    "MealDesk",
    "MealDoor",
    "MealKitchen",
    "MealRounds",
    "MealServices",
    "Onboarding",
    "Parcel",
    "PathTests",
    "PlanDesk",
    "PowerCuts",
    "Probe",
    "Probed",
    "ProfileRegister",
    "Pushes",
    "QuarantineDesk",
    "Recommending",
    "RepairOutcome",
    "Repairs",
    "ResponsePlans",
    "ReturnVisitTimes",
    "RotaBoard",
    "RotaDesk",
    "RuleDesk",
    "Ruled",
    "Ruling",
    "Sending",
    "Sensors",
    "Services",
    "Settling",
    "Sheltered",
    "Solve",
    "StepName",
    "Supervised",
    "Supervising",
    "Teleconsults",
    "Tended",
    "TimeBanking",
    "Together",
    "VisitDesk",
    "VisitResults",
    "WebhookDesk",
    "WindowDesk",
    "Wording",
    "build_services",
    "check_particulars",
    "count_nothing",
    "fields_of",
    "notify",
    "participant_json",
    "plan_progress",
    "recommendation_json",
    "withdraw",
]

CHINA = timezone(timedelta(hours=8))
"""One time zone and no summer time; nights of devices are counted in it."""


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, ready to call."""

    handling: Handling
    dispatching: Dispatching
    under_way: UnderWay
    care: Care
    claiming_together: ClaimingTogether
    intake: Intake
    calls: Calls
    devices: DeviceRegister
    commands: CommandDesk
    sensors: Sensors
    ingest: Ingest
    pushes: Pushes
    onboarding: Onboarding
    escalating: Escalating
    quarantine: QuarantineDesk
    handovers: Handovers
    profiles: ProfileRegister
    response_plans: ResponsePlans
    plan_desk: PlanDesk
    supervising: Supervising
    windows: WindowDesk
    power: PowerCuts
    load: LoadDesk
    path_tests: PathTests
    ruling: Ruling
    rule_desk: RuleDesk
    recommending: Recommending
    matters: MatterDesk
    meals: MealServices
    teleconsults: Teleconsults
    vitals_rounds: VitalsRounds
    visit_results: VisitResults
    visits: VisitDesk
    rota: RotaDesk
    rota_board: RotaBoard
    repairs: Repairs
    credentials: Credentials
    claims: Claims
    homes: Homes
    area_codes: AreaCodes
    patrols: PatrolDesk
    following: Following
    sending: Sending
    answering: Answering
    settling: Settling
    disputing: Disputing
    time_banking: TimeBanking
    webhooks: WebhookDesk
    day: DayServices
    wordings: WordingDesk
    everyday: Everyday


def build_services(
    database: Database,
    *,
    clock: Clock,
    new_id: IdSource,
    codecs: Mapping[str, Codec],
    travel: Travel,
    sample: Sample,
    hash_secret: Callable[[str], str],
    policy: EscalationPolicy = DEFAULT_POLICY,
    zone: tzinfo = CHINA,
    loop: LoopTimes | None = None,
    everyday: EverydayTimes = EverydayTimes(),
    outlets: Mapping[Channel, Outlet] | None = None,
    wording: Wording = Wording(),
    quiet: QuietHours | None = None,
    counted: Counted = count_nothing,
    shadow: bool = False,
    hours_expire: timedelta | None = None,
) -> Services:
    """Plugs the use cases together.

    `outlets`: the channels that are set up; `quiet`: when routine notices wait. `shadow`: nobody is called.
    """
    commands = CommandDesk(database, clock, new_id)
    writer = Writer(new_id, travel, zone, shadow=shadow, ask=DeviceAsks(commands.give_in, wording.desk))
    raising = Raising(new_id, writer, policy, commands.locate_where_needed, PlanBook(zone))
    rule_desk = RuleDesk(database, clock, new_id, raising)
    measuring = Measuring(new_id, rule_desk, zone)
    proofs = Proofs(new_id, zone, measuring)
    dispatching = Dispatching(database, clock, new_id, writer, travel, proofs, zone)
    positions = Positions()

    def hear(tx: Transaction, said: Sequence[Prepared], now: datetime) -> None:
        commands.heard(tx, said, now)
        positions.heard(tx, said, now)

    ingest = Ingest(database, clock, new_id, codecs, raising, hear)
    intake = Intake(database, clock, new_id, raising)
    kitchen = MealKitchen(database, clock, zone)
    plans = PlanOrders(new_id, zone, everyday.weeks_ahead)
    care = Care(database, clock, new_id, dispatching, plans, kitchen=kitchen)
    onboarding = Onboarding(database, clock)
    matters = MatterDesk(database, clock, new_id, loop or LoopTimes(), zone)
    handling = Handling(database, clock, writer, sample, matters.return_visit)
    ways = outlets or {}
    following = Following(database, clock, new_id, ways)
    return Services(
        handling=handling,
        dispatching=dispatching,
        under_way=UnderWay(database, clock, travel),
        care=care,
        claiming_together=ClaimingTogether(database, clock, writer),
        intake=intake,
        calls=Calls(database, clock, new_id, VoiceHeard(writer)),
        devices=DeviceRegister(database, clock, new_id, hash_secret),
        commands=commands,
        sensors=Sensors(database, clock),
        ingest=ingest,
        pushes=Pushes(database, clock, codecs, commit=onboarding.tap(ingest.alarms), quarantine=ingest.quarantine),
        onboarding=onboarding,
        escalating=Escalating(database, clock, writer),
        quarantine=QuarantineDesk(database, clock, codecs, ingest.retake),
        handovers=Handovers(database, clock, new_id, writer),
        profiles=ProfileRegister(database, clock),
        response_plans=ResponsePlans(database, clock),
        plan_desk=PlanDesk(database, clock, writer),
        repairs=Repairs(database, clock, new_id),
        credentials=Credentials(database, clock, hash_secret),
        claims=Claims(database, clock),
        homes=Homes(database, clock, new_id),
        area_codes=AreaCodes(database, clock, new_id, raising),
        patrols=PatrolDesk(database, clock, new_id, raising),
        following=following,
        sending=Sending(
            database, clock, new_id, following, outlets=ways, wording=wording, quiet=quiet, counted=counted
        ),
        answering=Answering(database, clock, dispatching, handling, following, wording),
        webhooks=WebhookDesk(database, clock, new_id),
        settling=Settling(database, clock, new_id, zone),
        disputing=Disputing(database, clock, new_id, zone),
        time_banking=TimeBanking(database, clock, new_id, hours_expire),
        wordings=WordingDesk(database, clock, wording),
        everyday=build_everyday(
            database,
            clock=clock,
            new_id=new_id,
            travel=travel,
            raising=raising,
            zone=zone,
            plans=plans,
            times=everyday,
        ),
        supervising=Supervising(database, clock, new_id, raising, writer, zone),
        windows=WindowDesk(database, clock, new_id, raising),
        power=PowerCuts(database, clock, new_id, raising, writer),
        load=LoadDesk(database, clock),
        path_tests=PathTests(database, clock, new_id, raising, writer, zone),
        ruling=Ruling(database, clock, new_id, raising, zone),
        rule_desk=rule_desk,
        matters=matters,
        meals=MealServices(
            kitchen,
            MealDesk(database, clock, new_id, zone, kitchen, care),
            MealDoor(database, clock, new_id, zone, raising, proofs),
            MealRounds(database, clock, new_id, zone, kitchen, travel),
        ),
        teleconsults=Teleconsults(database, clock, new_id, intake),
        vitals_rounds=VitalsRounds(database, clock),
        visit_results=VisitResults(database, clock),
        visits=VisitDesk(database, clock, measuring, zone),
        recommending=Recommending(database, clock, travel, zone),
        rota=RotaDesk(database, clock, new_id, zone),
        rota_board=RotaBoard(database, clock, zone),
        day=day_services(database, clock, new_id, zone, travel),
    )
