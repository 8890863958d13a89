"""The Grafana dashboard as code: `python deploy/grafana/dashboard.py` writes care-hub.json beside this file.

A row of panels a stage, in the order in which an alarm goes through them. Every panel says in its description what a
person should think when it moves. Change it here, never in the JSON; a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["PLACE", "dashboard", "main"]

PLACE = Path(__file__).with_name("care-hub.json")
Json = dict[str, Any]
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH = 24
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
    return tuple(
        target(
            f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{ONLY}}}[{RATE}])))",
            f"p{round(share * 100)} {{{{{by}}}}}",
        )
        for share in (0.5, 0.99)
    )


def by(metric: str, label: str) -> Json:
    return target(f"sum by ({label}) ({metric}{{{ONLY}}})", f"{{{{{label}}}}}")


def rate(metric: str, *labels: str) -> Json:
    legend = " ".join(f"{{{{{label}}}}}" for label in labels)
    return target(f"sum by ({', '.join(labels)}) (rate({metric}{{{ONLY}}}[{RATE}]))", legend)


ROWS: tuple[tuple[str, Sequence[Json]], ...] = (
    (
        "一眼看清 At a glance",
        (
            stat(
                "最久未答复告警 Oldest untold alarm",
                "Since when somebody who pressed has heard nothing. Above ten seconds somebody must look.",
                f'max(hub_bridge_oldest_unsettled_seconds{{{ONLY},lane="alarm"}})',
                unit="s",
                warn=2,
                bad=10,
            ),
            stat(
                "告警通道 Alarm lane",
                "1: one hub takes the alarms. 0: nobody does.",
                f"max(hub_lead_held{{{ONLY}}})",
                bad=1,
                low=True,
            ),
            stat(
                "数据库 Database",
                "0: away. Alarms wait with the broker and with the devices.",
                f"min(hub_database_up{{{ONLY}}})",
                bad=1,
                low=True,
            ),
            stat(
                "消息代理 Broker",
                "Connections that are there, of those that should be.",
                f"sum(hub_bridge_connected{{{ONLY}}}) / count(hub_bridge_connected{{{ONLY}}})",
                unit="percentunit",
                bad=1,
                low=True,
            ),
            stat(
                "未受理告警 Open incidents",
                "Incidents that nobody has claimed.",
                f'sum(hub_incidents_live{{{ONLY},state="open"}}) or vector(0)',
                warn=5,
                bad=20,
            ),
            stat(
                "隔离 In quarantine",
                "Uplinks that could not be taken and wait for a person: hub quarantine list.",
                f'sum(hub_quarantine_waiting{{{ONLY},why="failed"}}) or vector(0)',
                warn=1,
                bad=10,
            ),
        ),
    ),
    (
        "告警 Alarms",
        (
            panel("告警/秒 Alarms per second", "By device family.", rate("hub_alarms_total", "family")),
            panel(
                "未结事件 Live incidents",
                "By state.",
                target(f"sum by (state) (hub_incidents_live{{{ONLY}}})", "{{state}}"),
            ),
            panel(
                "最久未受理 Oldest open incident",
                "By priority; a critical one should be claimed within a minute.",
                target(f'max by (priority) (hub_incidents_oldest_seconds{{{ONLY},state="open"}})', "{{priority}}"),
                unit="s",
            ),
        ),
    ),
    (
        "接入 Intake",
        (
            panel(
                "收到与入库 Received and committed",
                "Messages a second, by lane. What is received and not settled queues.",
                rate("hub_bridge_received_total", "lane"),
                rate("hub_bridge_settled_total", "lane", "outcome"),
            ),
            panel("按类 By family", "What became of them.", rate("hub_uplinks_total", "family", "outcome")),
            panel(
                "未接受 Not accepted",
                "Rejected by reason, and kept aside.",
                rate("hub_uplinks_rejected_total", "family", "why"),
                rate("hub_uplinks_kept_aside_total", "family"),
            ),
            panel("排队 Queue", "Uplinks that wait for a transaction.", by("hub_bridge_queue_depth", "lane")),
            panel(
                "延迟 Lag",
                "From receipt to commit, the first of each batch.",
                *quantiles("hub_ingest_lag_seconds", "lane"),
                unit="s",
            ),
            panel(
                "提交 Commit",
                "Time of one transaction.",
                *quantiles("hub_bridge_commit_seconds", "lane"),
                unit="s",
            ),
            panel("批量 Batch", "Uplinks in one transaction.", *quantiles("hub_bridge_batch_size", "lane")),
            panel("解码 Decoding", "Of one uplink.", *quantiles("hub_decode_seconds", "family"), unit="s"),
            panel(
                "背压与失败 Back-pressure and failures",
                "Reading stopped; transactions put off, or retried one by one; what only the log has.",
                rate("hub_bridge_paused_total", "lane"),
                rate("hub_bridge_unavailable_total", "lane"),
                rate("hub_bridge_failed_batches_total", "lane"),
                rate("hub_bridge_only_logged_total", "lane"),
            ),
        ),
    ),
    (
        "消息代理与 TCP Broker and TCP",
        (
            panel(
                "连接 Connections",
                "1 while connected and subscribed.",
                by("hub_bridge_connected", "lane"),
                by("hub_lead_here", "instance"),
            ),
            panel(
                "重连 Reconnects",
                "A session the broker has lost means messages it has lost: the devices repeat alarms.",
                rate("hub_bridge_connects_total", "lane"),
                rate("hub_bridge_connect_failures_total", "lane"),
                rate("hub_bridge_sessions_lost_total", "lane"),
                rate("hub_bridge_stale_acks_total", "lane"),
            ),
            panel(
                "未确认 Unacknowledged",
                "Messages the broker waits to have acknowledged, and how often a connection was made.",
                by("hub_bridge_unsettled", "client"),
                by("hub_bridge_generation", "client"),
            ),
            panel("TCP 连接 TCP connections", "By family.", by("hub_bridge_tcp_connections", "family")),
            panel(
                "TCP 断开 TCP closed",
                "By reason; conflicts are ids that more than one connection claims.",
                rate("hub_bridge_tcp_closed_total", "reason"),
                rate("hub_bridge_tcp_conflicts_total", "kind"),
            ),
            panel(
                "TCP 丢弃 TCP let go",
                "Telemetry for which there was no room, and bytes that belonged to no frame.",
                target(f"sum(rate(hub_bridge_tcp_shed_total{{{ONLY}}}[{RATE}]))", "frames"),
                target(f"sum(rate(hub_bridge_tcp_garbage_bytes_total{{{ONLY}}}[{RATE}]))", "bytes"),
            ),
        ),
    ),
    (
        "下行与时限 Messages and time-outs",
        (
            panel(
                "待发 Outbox",
                "Messages that have not left, by channel.",
                by("hub_outbox_waiting", "channel"),
            ),
            panel(
                "最久待发 Oldest in the outbox",
                "A device that is away may take a day; voice and messages to people must not.",
                target(f"max by (channel) (hub_outbox_oldest_seconds{{{ONLY}}})", "{{channel}}"),
                unit="s",
            ),
            panel("下行 Downlinks", "By way and outcome.", rate("hub_bridge_downlinks_total", "via", "outcome")),
            panel(
                "时限 Time-outs",
                "That are set, and whose time has come without anybody carrying them out.",
                by("hub_due_rows", "subject"),
                by("hub_due_overdue", "subject"),
            ),
            panel(
                "逾期 Overdue",
                "How late the latest is, and since when the jobs have not looked.",
                target(f"max(hub_due_overdue_seconds{{{ONLY}}})", "overdue"),
                target(f"max(hub_jobs_idle_seconds{{{ONLY}}})", "jobs idle"),
                unit="s",
            ),
            panel(
                "隔离 Quarantine",
                "What waits for a person, and for how long the oldest has.",
                by("hub_quarantine_waiting", "why"),
                target(f"max by (why) (hub_quarantine_oldest_seconds{{{ONLY}}}) / 3600", "{{why}}, hours"),
            ),
        ),
    ),
    (
        "页面 Pages",
        (
            panel(
                "实时推送 Live feed",
                "Open pages, entries not published yet, and 1 while it cannot read.",
                target(f"sum(hub_stream_subscribers{{{ONLY}}})", "pages"),
                target(f"max(hub_feed_behind_entries{{{ONLY}}})", "behind"),
                target(f"max(hub_feed_dark{{{ONLY}}})", "dark"),
            ),
            panel("请求 Requests", "By status.", rate("hub_http_requests_total", "status")),
            panel(
                "应答时间 Answering",
                "Until the answer begins.",
                *quantiles("hub_http_request_seconds", "method"),
                unit="s",
            ),
        ),
    ),
    (
        "机器 Machine",
        (
            panel(
                "内存 Memory",
                "Of the hub's processes.",
                target(f"process_resident_memory_bytes{{{ONLY}}}", "{{instance}}"),
                unit="bytes",
            ),
            panel(
                "处理器 CPU",
                "Cores used.",
                target(f"rate(process_cpu_seconds_total{{{ONLY}}}[{RATE}])", "{{instance}}"),
            ),
            panel(
                "磁盘 Disk",
                "Room left, size of the disk and of the database.",
                target(f"min(hub_disk_free_bytes{{{ONLY}}})", "free"),
                target(f"min(hub_disk_bytes{{{ONLY}}})", "disk"),
                target(f"max(hub_database_bytes{{{ONLY}}})", "database"),
                unit="bytes",
            ),
            panel("连接池 Pool", "Connections, and callers that wait.", by("hub_database_pool", "state")),
            panel(
                "设备 Devices",
                "Added, reporting without having been added, online.",
                target(f"max by (state) (hub_devices{{{ONLY}}})", "{{state}}"),
            ),
            panel(
                "看护 Supervision",
                "Devices looked at, found silent, heard again a second; 1 while there is more to look at than may be.",
                target(f"sum(rate(hub_supervision_looks_total{{{ONLY}}}[{RATE}]))", "looks"),
                target(f"sum(rate(hub_supervision_silent_total{{{ONLY}}}[{RATE}]))", "silent"),
                target(f"sum(rate(hub_supervision_back_total{{{ONLY}}}[{RATE}]))", "back"),
                target(f"max(hub_supervision_busy{{{ONLY}}})", "busy"),
            ),
            panel(
                "告警规则 Alarm rules",
                "Residents whose turn it was, judged, raised for, failed a second; 1 while there are more than may be.",
                target(f"sum(rate(hub_rules_looks_total{{{ONLY}}}[{RATE}]))", "looks"),
                target(f"sum(rate(hub_rules_judged_total{{{ONLY}}}[{RATE}]))", "judged"),
                target(f"sum(rate(hub_rules_raised_total{{{ONLY}}}[{RATE}]))", "raised"),
                target(f"sum(rate(hub_rules_failed_total{{{ONLY}}}[{RATE}]))", "failed"),
                target(f"max(hub_rules_busy{{{ONLY}}})", "busy"),
            ),
            panel(
                "值守负荷 Load of the desk",
                "Alarms an hour a seat (6 comfortable, 12 manageable), seats, floods, stale, shelved, bad actors.",
                target(f"max(hub_load_alarms_per_seat_hour{{{ONLY}}})", "an hour a seat"),
                target(f"max(hub_load_seats{{{ONLY}}})", "seats"),
                target(f"max(hub_load_seats_in_flood{{{ONLY}}})", "in a flood"),
                target(f"sum(rate(hub_load_flood_seconds_total{{{ONLY}}}[{RATE}]))", "flood"),
                target(f"max(hub_load_stale{{{ONLY}}})", "stale"),
                target(f"max(hub_load_stale_technical{{{ONLY}}})", "stale technical"),
                target(f"max(hub_load_shelved{{{ONLY}}})", "shelved"),
                target(f"max(hub_load_chattering{{{ONLY}}})", "chattering"),
                target(f"max(hub_load_silences{{{ONLY}}})", "silences"),
                target(f"max(hub_load_bad_actors{{{ONLY}}})", "bad actors"),
            ),
            panel(
                "告警构成 What rings",
                "Alarms that rang and those spilled to another seat, a second; shares of a day (5, 15, 80 %).",
                target(f"sum(rate(hub_load_rings_total{{{ONLY}}}[{RATE}]))", "rings"),
                target(f"sum(rate(hub_load_spilled_total{{{ONLY}}}[{RATE}]))", "spilled"),
                target(f"max by (priority) (hub_load_share{{{ONLY}}})", "{{priority}}"),
            ),
            panel(
                "排班与办结 Rota and matters",
                "Gaps of the next 14 days by kind; reported matters that rose a level unresolved, a day.",
                target(f"max by (kind) (hub_rota_gaps{{{ONLY}}})", "gaps: {{kind}}"),
                target(f"sum(increase(hub_matters_overdue_total{{{ONLY}}}[1d]))", "overdue"),
            ),
            panel(
                "报警通路自检 Test of the alarm path",
                "The latest test alarm: whether it came through, when, and the seconds to each step.",
                target(f"min(hub_path_test_passed{{{ONLY}}})", "passed"),
                target(f"time() - max(hub_path_test_timestamp_seconds{{{ONLY}}} > 0)", "age"),
                target(f"max by (step) (hub_path_test_seconds{{{ONLY}}})", "{{step}}"),
            ),
            panel(
                "通知 Notices",
                "Notices tried a second by result, alarm notices late, messages being sent; p99 until they leave.",
                target(
                    f"sum by (lane, result) (rate(hub_notice_tries_total{{{ONLY}}}[{RATE}]))", "{{lane}} {{result}}"
                ),
                target(f"sum(rate(hub_notice_late_total{{{ONLY}}}[{RATE}]))", "late"),
                target(f"sum by (lane) (hub_notice_workers_busy{{{ONLY}}})", "{{lane}} busy"),
                target(
                    "histogram_quantile(0.99, sum by (le, lane) "
                    f"(rate(hub_notice_lag_seconds_bucket{{{ONLY}}}[{RATE}])))",
                    "{{lane}} p99",
                ),
            ),
            panel(
                "告警日志 Journal",
                "Alarms kept while the database was away, not yet in it; uplinks a second that went there; bytes.",
                target(f"sum(hub_bridge_journal_alarms{{{ONLY}}})", "alarms waiting"),
                target(f"sum(rate(hub_bridge_journalled_total{{{ONLY}}}[{RATE}]))", "journalled"),
                target(f"sum(hub_bridge_journal_bytes{{{ONLY}}})", "bytes"),
            ),
            panel(
                "账本与结构 Ledger and schema",
                "Keys remembered, migrations missing, open files.",
                target(f"max(hub_ledger_keys{{{ONLY}}})", "keys"),
                target(f"max(hub_schema_missing{{{ONLY}}})", "migrations missing"),
                target(f"max(process_open_fds{{{ONLY}}})", "open files"),
            ),
        ),
    ),
)


def placed() -> list[Json]:
    """The panels, each row of them under its heading, from left to right."""
    found: list[Json] = []
    top = 0
    for title, panels in ROWS:
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
