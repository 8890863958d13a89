"""Builds a `Model`: fills in what a kind of problem does not have, and finds who may do what and what is near what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dispatch.plan import arrays as a
from dispatch.plan.arrays import Model

__all__ = ["NEIGHBOURS", "NEVER", "fill_near", "make_model"]

NEIGHBOURS = 40
"""Visits worth a look beside each visit. More find little and cost time."""
NEVER = 1e9
"""A time that does not come, where arithmetic must go on."""

_ABSENT_VALUES: Mapping[str, Mapping[int, float]] = {
    "ids": {a.OPS: 1, a.WINDOWS: 1, a.TWIN: -1},
    "visit": {a.DROP: 1e7, a.WANT: np.nan, a.FRESH: np.inf},
    "op": {a.FIXED: np.nan},
    "base": {},
    "crew": {a.SHIFT_HI: NEVER, a.LIMIT: np.inf, a.CAP: np.inf, a.MAX_TRIPS: 1, a.PACE: 1},
}


def _table(kind: str, rows: int, columns: int, given: Mapping[int, ArrayLike], dtype: Any) -> NDArray[Any]:
    table = np.zeros((rows, columns), dtype)
    for column, value in {**_ABSENT_VALUES[kind], **given}.items():
        table[:, column] = value
    return table


def make_model(
    *,
    dist: NDArray[np.float64],
    ids: Mapping[int, ArrayLike],
    op: Mapping[int, ArrayLike],
    base: Mapping[int, ArrayLike],
    win: NDArray[np.float64],
    fit: NDArray[np.float64],
    rules: Mapping[int, float],
    visit: Mapping[int, ArrayLike] | None = None,
    crew: Mapping[int, ArrayLike] | None = None,
    breaks: Sequence[Sequence[Sequence[float]]] = (),
    shut: NDArray[np.float64] | None = None,
    near: bool = True,
) -> Model:
    """A model from tables by column; a column that is left out means "no such thing".

    `win` (n, w, 2); `fit` (3n, r), see `Model`; `breaks`: for each unit its breaks in order, each (earliest start,
    latest start, minutes). `shut`: ways while roads are closed, from SHUT_FROM to SHUT_UNTIL. Without `near` the
    neighbours are to be found for those that may move (`fill_near`).
    """
    n, r = len(win), fit.shape[1]
    base_table = _table("base", r, a.BASE_COLUMNS, base, np.int32)
    if a.ARRIVE not in base:
        base_table[:, a.ARRIVE] = base_table[:, a.DEPART]
    rows = [list(one) for unit in breaks for one in unit]
    lengths = [len(unit) for unit in breaks] or [0] * r
    base_table[:, a.BRK_MANY] = lengths
    base_table[:, a.BRK_AT] = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if r else []
    rule_row = np.zeros(a.RULES)
    rule_row[[a.NOW, a.SHUT_FROM, a.SHUT_UNTIL]] = -np.inf
    for entry, value in rules.items():
        rule_row[entry] = value
    may = np.isfinite(fit[: 2 * n])
    ids_table = _table("ids", n, a.ID_COLUMNS, ids, np.int32)
    op_table = _table("op", 2 * n, a.OP_COLUMNS, op, np.float64)
    dist = np.ascontiguousarray(dist, np.float64)
    model = Model(
        n=n,
        r=r,
        dist=dist,
        shut=dist if shut is None else np.ascontiguousarray(shut, np.float64),
        ids=ids_table,
        visit=_table("visit", n, a.VISIT_COLUMNS, visit or {}, np.float64),
        op=op_table,
        base=base_table,
        crew=_table("crew", r, a.CREW_COLUMNS, crew or {}, np.float64),
        brk=np.array(rows, np.float64).reshape(-1, a.BRK_COLUMNS),
        win=np.ascontiguousarray(win, np.float64),
        fit=np.ascontiguousarray(fit, np.float64),
        rules=rule_row,
        near=np.zeros((n, max(1, min(n - 1, NEIGHBOURS))), np.int32),
        can_at=np.concatenate([[0], np.cumsum(may.sum(axis=1))]).astype(np.int32),
        can=np.nonzero(may)[1].astype(np.int32),
        free=np.flatnonzero(np.isnan(op_table[::2, a.FIXED])).astype(np.int32),
    )
    if near:
        fill_near(model, np.arange(n))
    return model


def fill_near(model: Model, rows: ArrayLike) -> None:
    """For each visit of `rows` the others that may well come just before or after it: near, with little waiting or
    lateness."""
    n, near, dist, win = model.n, model.near, model.dist, model.win
    if n < 2:
        return
    k = near.shape[1]
    place = model.ids[:, a.PLACE]
    first = win[:, 0, a.OPENS]
    last = np.where(np.arange(win.shape[1]) < model.ids[:, a.WINDOWS, None], win[:, :, a.CLOSES], -np.inf).max(axis=1)
    last = np.minimum(last, NEVER)
    stay = model.op[:, a.SPAN].reshape(n, 2).max(axis=1)
    for v in np.asarray(rows, np.intp):
        there, back = dist[place[v], place], dist[place, place[v]]
        ahead = there + 0.2 * np.maximum(0, first - (last[v] + stay[v] + there))
        ahead += np.maximum(0, first[v] + stay[v] + there - last)
        behind = back + 0.2 * np.maximum(0, first[v] - (last + stay + back))
        behind += np.maximum(0, first + stay + back - last[v])
        value = np.minimum(ahead, behind)
        value[v] = np.inf
        few = np.argpartition(value, k - 1)[:k]
        near[v] = few[np.argsort(value[few], kind="stable")]
