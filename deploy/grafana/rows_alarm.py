"""Rows of the dashboard: the stages an alarm goes through, and the pages that show it."""

from __future__ import annotations

from panels import ONLY, Row, by, most, panel, quantiles, rate, stat, target, total

__all__ = ["ALARM_ROWS"]

ALARM_ROWS: tuple[Row, ...] = (
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
                by("hub_incidents_live", "state"),
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
                rate("hub_bridge_tcp_shed_total", legend="frames"),
                rate("hub_bridge_tcp_garbage_bytes_total", legend="bytes"),
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
                most("hub_outbox_oldest_seconds", "channel"),
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
                most("hub_due_overdue_seconds", legend="overdue"),
                most("hub_jobs_idle_seconds", legend="jobs idle"),
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
                total("hub_stream_subscribers", legend="pages"),
                most("hub_feed_behind_entries", legend="behind"),
                most("hub_feed_dark", legend="dark"),
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
)
