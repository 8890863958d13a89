"""Panels of the dashboard, their questions to Prometheus and their colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "ONLY",
    "RATE",
    "SOURCE",
    "Json",
    "Row",
    "by",
    "least",
    "most",
    "panel",
    "quantile",
    "quantiles",
    "rate",
    "stat",
    "target",
    "total",
    "within",
]

Json = dict[str, Any]
Row = tuple[str, Sequence[Json]]
"""A heading and what stands under it, from left to right."""
SOURCE = {"type": "prometheus", "uid": "${source}"}
RATE = "$__rate_interval"
ONLY = 'job="$job"'


def target(expression: str, legend: str = "") -> Json:
    return {"datasource": SOURCE, "expr": expression, "legendFormat": legend or "__auto", "range": True}


def panel(
    title: str,
    words: str,
    *targets: Json,
    unit: str = "short",
    kind: str = "timeseries",
    width: int = 8,
    warn: float | None = None,
    bad: float | None = None,
    low: bool = False,
) -> Json:
    """`warn` and `bad` colour the value from there on; with `low` the value is bad below them."""
    colours = ("red", "orange", "green") if low else ("green", "orange", "red")
    edges = [bad, warn] if low else [warn, bad]
    steps: list[Json] = [{"color": colours[0], "value": None}]
    steps += [
        {"color": colour, "value": edge} for colour, edge in zip(colours[1:], edges, strict=True) if edge is not None
    ]
    if low and warn is None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": bad}]
    return {
        "type": kind,
        "title": title,
        "description": words,
        "datasource": SOURCE,
        "targets": [{**one, "refId": chr(ord("A") + number)} for number, one in enumerate(targets)],
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "color": {"mode": "thresholds" if kind == "stat" else "palette-classic"},
                "custom": {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never"} if kind == "timeseries" else {},
            },
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background"}
        if kind == "stat"
        else {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "width": width,
    }


def stat(title: str, words: str, expression: str, **options: Any) -> Json:
    return panel(title, words, target(expression), kind="stat", width=4, **options)


def quantiles(metric: str, by: str) -> tuple[Json, ...]:
    """p50 and p99 of a histogram."""
    return tuple(target(_quantile(share, metric, by), f"p{round(share * 100)} {{{{{by}}}}}") for share in (0.5, 0.99))


def quantile(share: float, metric: str, by: str) -> Json:
    """One of them, beside other lines of the same panel."""
    return target(_quantile(share, metric, by), f"{{{{{by}}}}} p{round(share * 100)}")


def _quantile(share: float, metric: str, by: str) -> str:
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{ONLY}}}[{RATE}])))"


def most(metric: str, *labels: str, legend: str = "") -> Json:
    """The highest of all instances, where each says the same of the site."""
    return target(_over("max", f"{metric}{{{ONLY}}}", labels), legend or _named(labels))


def least(metric: str, legend: str) -> Json:
    """The lowest of all instances."""
    return target(_over("min", f"{metric}{{{ONLY}}}"), legend)


def total(metric: str, *labels: str, legend: str = "") -> Json:
    """All instances together, where each counts its own."""
    return target(_over("sum", f"{metric}{{{ONLY}}}", labels), legend or _named(labels))


def by(metric: str, label: str) -> Json:
    """All instances together, a line for each value of a label."""
    return total(metric, label)


def rate(metric: str, *labels: str, legend: str = "") -> Json:
    """How many a second."""
    return target(_over("sum", f"rate({metric}{{{ONLY}}}[{RATE}])", labels), legend or _named(labels))


def within(span: str, metric: str, *labels: str, legend: str = "") -> Json:
    """How many in the last `1h` or `1d`."""
    return target(_over("sum", f"increase({metric}{{{ONLY}}}[{span}])", labels), legend or _named(labels))


def _over(what: str, inner: str, labels: Sequence[str] = ()) -> str:
    return f"{what} by ({', '.join(labels)}) ({inner})" if labels else f"{what}({inner})"


def _named(labels: Sequence[str]) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in labels)
