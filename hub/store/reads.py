"""`hub.ports.Reads` on PostgreSQL: each call one snapshot, read-only, one to three short statements."""

from __future__ import annotations

from hub.store.reads_commands import CommandReadsPostgres
from hub.store.reads_day_plans import DayPlanReadsPostgres
from hub.store.reads_desk import DeskReadsPostgres
from hub.store.reads_incidents import IncidentReads
from hub.store.reads_lists import ReportListsPostgres
from hub.store.reads_load import LoadReadsPostgres
from hub.store.reads_meals import MealReadsPostgres
from hub.store.reads_medical import MedicalReadsPostgres
from hub.store.reads_notices import NoticeReadsPostgres
from hub.store.reads_orders import OrderReads
from hub.store.reads_plans import PlanReadsPostgres
from hub.store.reads_records import RecordReads
from hub.store.reads_series import SeriesReads
from hub.store.reads_service_reports import ServiceReadsPostgres
from hub.store.reads_settlement import SettlementReadsPostgres
from hub.store.reads_technical import TechnicalReadsPostgres
from hub.store.register import RegisterReadsPostgres
from hub.store.time_bank import TimeBankReadsPostgres

__all__ = ["ReadsPostgres"]


class ReadsPostgres(
    IncidentReads,
    OrderReads,
    RecordReads,
    SeriesReads,
    DeskReadsPostgres,
    CommandReadsPostgres,
    NoticeReadsPostgres,
    TechnicalReadsPostgres,
    SettlementReadsPostgres,
    TimeBankReadsPostgres,
    LoadReadsPostgres,
    ReportListsPostgres,
    RegisterReadsPostgres,
    MealReadsPostgres,
    MedicalReadsPostgres,
    PlanReadsPostgres,
    ServiceReadsPostgres,
    DayPlanReadsPostgres,
):
    """JSON views in the shapes of docs/wire/http-v1.md; made with a `PostgresDatabase`."""
