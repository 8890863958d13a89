"""The Grafana dashboard as code: `python deploy/grafana/dashboard.py` writes care-hub.json beside this file.

A row of panels a stage, in the order in which an alarm goes through them (`rows_alarm`), then the site (`rows_site`).
Every panel says in its description what a person should think when it moves. Change it there, never in the JSON; a test
compares the two.
"""

from __future__ import annotations

import json
from pathlib import Path

from panels import SOURCE, Json
from rows_alarm import ALARM_ROWS
from rows_site import SITE_ROWS

__all__ = ["PLACE", "dashboard", "main"]

PLACE = Path(__file__).with_name("care-hub.json")
WIDTH = 24


def placed() -> list[Json]:
    """The panels, each row of them under its heading, from left to right."""
    found: list[Json] = []
    top = 0
    for title, panels in (*ALARM_ROWS, *SITE_ROWS):
        found.append(
            {
                "type": "row",
                "title": title,
                "collapsed": False,
                "panels": [],
                "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": top},
            }
        )
        top += 1
        left, height = 0, 8 if panels[0]["type"] != "stat" else 4
        for one in panels:
            width = one["width"]
            if left + width > WIDTH:
                left, top = 0, top + height
            body = {name: value for name, value in one.items() if name != "width"}
            found.append({**body, "gridPos": {"h": height, "w": width, "x": left, "y": top}})
            left += width
        top += height
    return [{"id": number, **one} for number, one in enumerate(found, 1)]


def dashboard() -> Json:
    """The whole dashboard in Grafana's JSON model."""
    return {
        "uid": "care-hub",
        "title": "care-hub",
        "tags": ["care-hub"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "source"},
                {
                    "name": "job",
                    "type": "query",
                    "datasource": SOURCE,
                    "query": {"query": "label_values(hub_database_up, job)", "refId": "job"},
                    "refresh": 1,
                    "current": {"text": "care-hub", "value": "care-hub"},
                },
            ]
        },
        "panels": placed(),
    }


def main() -> None:
    """Writes the file."""
    PLACE.write_text(json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
