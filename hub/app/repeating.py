"""What a hub does again and again: rows whose time has come, rules, supervision, plans of a day, notices, the house."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hub.app.path_tests import path_tests_job
from hub.app.plugging import retention_of
from hub.app.sending import start_senders
from hub.clock import utc_now
from hub.jobs import (
    BoundedJob,
    DayPlansJob,
    EverydayJob,
    Jobs,
    LoadJob,
    MattersJob,
    MealRoundsJob,
    MealsJob,
    NoticeCounts,
    PowerJob,
    RotaJob,
    RulesJob,
    SupervisionJob,
    TimeBankJob,
    VisitsJob,
    WindowsJob,
)
from hub.store import Listener, keep_house, roll_up

if TYPE_CHECKING:
    from hub.app.compose import Hub

__all__ = ["start_jobs"]


def start_jobs(hub: Hub, stack: ExitStack, url: str, feed_seq: Callable[[], int | None], counts: NoticeCounts) -> Jobs:
    """Starts all of them; `stack` ends them. Gives the one that carries out due rows.

    `feed_seq`: how far the live feed of this process has come, None where it has none.
    """
    stopping = threading.Event()
    services, settings, registry = hub.services, hub.settings, hub.registry

    def house(now: datetime) -> None:
        _keep_house(hub, now, stopping)

    def keep_doing(job: BoundedJob | SupervisionJob) -> None:
        job.start()
        stack.callback(job.stop)
        stack.callback(job.request_stop)

    listener = stack.enter_context(Listener(url, ["care_hub_due"]))
    jobs = Jobs(services.escalating, wake=listener.wait, clock=utc_now, housekeep=house)
    jobs.start()
    stack.callback(jobs.stop)
    limits = settings.rules
    keep_doing(SupervisionJob(services.supervising, per_second=settings.devices.checks_per_second, registry=registry))
    keep_doing(RulesJob(services.ruling, per_second=limits.per_second, every_s=limits.every_seconds, registry=registry))
    keep_doing(WindowsJob(services.windows))
    keep_doing(PowerJob(services.power))
    keep_doing(TimeBankJob(services.time_banking))
    keep_doing(MattersJob(services.matters, registry=registry))
    keep_doing(MealsJob(services.meals, registry=registry))
    keep_doing(MealRoundsJob(services.meals, registry=registry))
    keep_doing(VisitsJob(services.visits, registry=registry))
    keep_doing(EverydayJob(services.everyday, registry=registry))
    keep_doing(RotaJob(services.rota, services.rota_board, registry=registry))
    keep_doing(LoadJob(services.load, hub.reads, utc_now, registry=registry))
    plans = stack.enter_context(Listener(url, ["care_hub_day_plans"]))
    days = DayPlansJob(services.day.planning, wake=plans.wait, registry=registry)
    days.start()
    stack.callback(days.stop)
    stack.callback(plans.close)
    stack.callback(days.request_stop)
    if not settings.shadow:
        keep_doing(path_tests_job(services, settings, hub.embedded, feed_seq, registry))
    start_senders(stack, services, hub.reads, settings, url, counts)
    # Unwound from below: told to stop, woken, waited for.
    stack.callback(stopping.set)
    stack.callback(listener.close)
    stack.callback(jobs.request_stop)
    return jobs


def _keep_house(hub: Hub, now: datetime, stopping: threading.Event) -> None:
    retention = retention_of(hub.settings)
    keep_house(hub.database, now, retention)
    roll_up(hub.database.url, now, minutes_kept=retention.minutes, stopping=stopping.is_set)
    hub.services.following.tidy(now - timedelta(days=hub.settings.notify.kept_days))
