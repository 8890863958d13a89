"""From a problem file to routes, by format. Imported only when a plan is made: it brings the compiler along."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from dispatch.plan.explain import explain
from dispatch.plan.rounds import Rounds, fewest_vehicles, shortest
from dispatch.plan.search import Plan
from dispatch.plan.solve import first_plan, laid_out
from hub.clock import monotonic
from hub.planning import day_file, day_plan, hhcrsp, solomon, uhhc, uhhc_plan
from hub.planning.reading import read_bytes, wrong
from hub.planning.running import Progress, solve

__all__ = ["Answer", "solve_file"]

LEAVING_SECONDS = 0.7
LEAVING_SHARE = 0.005
LEAVING_SECONDS_A_VISIT = 0.0003
"""What is left for writing the answer and leaving: always, of the time asked for, and for each visit of a day."""
PROCESS_SECONDS = 0.8
"""What it takes to hear from processes of one's own, and to end them."""
LEAST_SHARE = 0.1
"""Of the time asked for: what the search gets in any case, also where the compiler took all of it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`routes` goes to the file, `summary` to the screen."""

    routes: dict[str, Any]
    summary: dict[str, Any]
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """What was asked for; times on `monotonic`."""

    path: Path
    raw: bytes
    since: float
    until: float
    seed: int
    threads: int
    progress: Progress | None
    explain: str | None

    def deadline(self, writing: float = 0.0) -> float:
        """When the search ends, once it may begin; `writing` seconds are for what comes after it."""
        return max(self.until - writing, monotonic() + LEAST_SHARE * (self.until - self.since))

    def head(self, kind: str) -> dict[str, Any]:
        """What every summary says."""
        return {
            "file": str(self.path),
            "format": kind,
            "seed": self.seed,
            "seconds": round(monotonic() - self.since, 2),
        }


def solve_file(
    path: Path,
    kind: str,
    *,
    since: float,
    seconds: float,
    seed: int,
    threads: int,
    progress: Progress | None = None,
    explain_visit: str | None = None,
) -> Answer:
    """Plans the problem in `path`. Raises HubError with what is wrong and where."""
    until = since + seconds * (1 - LEAVING_SHARE) - LEAVING_SECONDS
    return KINDS[kind](Task(path, read_bytes(path), since, until, seed, threads, progress, explain_visit))


def _hhcrsp(task: Task) -> Answer:
    instance = hhcrsp.read(task.path, task.raw)
    model = hhcrsp.model_of(instance)
    start, _ = first_plan(model)
    found = solve(
        model,
        start,
        until=task.deadline(),
        seed=task.seed,
        threads=task.threads,
        droppable=False,
        progress=task.progress,
    )
    _keep_whole(task, found.plan, model.n)
    state, _ = laid_out(model, found.plan)
    routes = hhcrsp.routes_of(instance, model, state)
    summary = {**task.head("hhcrsp"), **_rounded(hhcrsp.score(instance, routes)), "moves": found.moves}
    return Answer({"routes": routes}, summary, found.stopped)


def _keep_whole(task: Task, plan: Plan, visits: int) -> None:
    if any(plan.unit[2 * v] == -1 for v in range(visits)):
        raise wrong(task.path, "not every patient can be visited")


def _uhhc(task: Task) -> Answer:
    instance = uhhc.read(task.path, task.raw)
    model = uhhc.model_of(instance)
    start, _ = first_plan(model)
    found = solve(
        model,
        start,
        until=task.deadline(),
        seed=task.seed,
        threads=task.threads,
        droppable=any(patient.optional for patient in instance.patients),
        progress=task.progress,
    )
    model, state, _ = uhhc_plan.finished(model, found.plan)
    routes = uhhc_plan.routes_of(instance, model, state)
    parts = _rounded(uhhc_plan.score(instance, routes))
    weights = {part: instance.metadata.cost_components.get(part) for part in uhhc.PARTS}
    summary = {**task.head("uhhc"), **parts, "weights": weights, "moves": found.moves}
    return Answer({"routes": routes}, summary, found.stopped)


def _rounded(parts: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in parts.items()}


def _solomon(task: Task) -> Answer:
    """Two problems, side by side where there are two threads, else one after the other."""
    instance = solomon.read(task.path, task.raw)
    until = task.deadline() - PROCESS_SECONDS
    jobs: list[tuple[Callable[..., Any], Rounds]] = [
        (shortest, solomon.truncated_rounds(instance)),
        (fewest_vehicles, solomon.real_rounds(instance)),
    ]
    plans: list[list[list[int]] | None] = []
    if task.threads == 1:
        middle = monotonic() + max(0.1, (until - monotonic()) / 2)
        plans = [
            job(rounds, seed=task.seed, clock=monotonic, until=limit)
            for (job, rounds), limit in zip(jobs, (middle, until), strict=True)
        ]
    else:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            futures: list[Future[Any]] = [
                pool.submit(job, rounds, seed=task.seed, clock=monotonic, until=until) for job, rounds in jobs
            ]
            begun = monotonic()
            while not all(future.done() for future in futures):
                if task.progress is not None:
                    task.progress(float("inf"), min(1.0, (monotonic() - begun) / max(until - begun, 1e-6)))
                _wait(futures)
            plans = [future.result() for future in futures]
    if plans[0] and plans[1]:
        # Real ways are no shorter than truncated ones: the second plan is a plan for the first problem too.
        plans[0] = min(plans, key=lambda plan: solomon.score(instance, plan or [])["distance_truncated"])
    names = ("distance", "vehicles")
    written: dict[str, Any] = {"instance": instance.name}
    summary: dict[str, Any] = {**task.head("solomon"), "instance": instance.name}
    for name, routes in zip(names, plans, strict=True):
        if routes is None:
            raise wrong(task.path, "no plan was found that keeps windows, capacity and the number of vehicles")
        summary[name] = solomon.score(instance, routes)
        written[name] = {**summary[name], "routes": routes}
    summary["distance_truncated"] = summary["distance"]["distance_truncated"]
    summary["vehicles_then_distance"] = [summary["vehicles"]["vehicles"], summary["vehicles"]["distance_real"]]
    return Answer(written, summary)


def _wait(futures: list[Future[Any]]) -> None:
    for future in futures:
        if not future.done():
            try:
                future.result(timeout=0.2)
            except TimeoutError:
                return


def _json(task: Task) -> Answer:
    problem = day_file.read(task.path, task.raw)
    many = len(problem.day.visits)
    planned = day_plan.plan_day(
        problem.day,
        until=task.deadline(many * LEAVING_SECONDS_A_VISIT),
        seed=task.seed,
        threads=task.threads,
        progress=task.progress,
    )
    routes = day_plan.shown(problem, planned, lambda: monotonic() - task.since)
    if task.explain is not None:
        try:
            why = explain(planned.made, planned.plan, task.explain)
        except KeyError:
            raise wrong(task.path, f"--explain: there is no visit {task.explain}") from None
        return Answer(routes, day_plan.explanation_shown(why), planned.stopped)
    parts = {name: routes[name] for name in ("cost", "baseline", "unplanned", "missing")}
    return Answer(routes, {**task.head("json"), **parts}, planned.stopped)


KINDS: dict[str, Callable[[Task], Answer]] = {"json": _json, "hhcrsp": _hhcrsp, "uhhc": _uhhc, "solomon": _solomon}
