"""Rows of the dashboard: the machine, the devices, the services and the desk."""

from __future__ import annotations

from panels import ONLY, RATE, Row, by, least, most, panel, quantile, rate, target, total, within

__all__ = ["SITE_ROWS"]

SITE_ROWS: tuple[Row, ...] = (
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
                least("hub_disk_free_bytes", "free"),
                least("hub_disk_bytes", "disk"),
                most("hub_database_bytes", legend="database"),
                unit="bytes",
            ),
            panel("连接池 Pool", "Connections, and callers that wait.", by("hub_database_pool", "state")),
            panel(
                "设备 Devices",
                "Added, reporting without having been added, online.",
                most("hub_devices", "state"),
            ),
            panel(
                "看护 Supervision",
                "Devices looked at, found silent, heard again a second; 1 while there is more to look at than may be.",
                rate("hub_supervision_looks_total", legend="looks"),
                rate("hub_supervision_silent_total", legend="silent"),
                rate("hub_supervision_back_total", legend="back"),
                most("hub_supervision_busy", legend="busy"),
            ),
            panel(
                "告警规则 Alarm rules",
                "Residents whose turn it was, judged, raised for, failed a second; 1 while there are more than may be.",
                rate("hub_rules_looks_total", legend="looks"),
                rate("hub_rules_judged_total", legend="judged"),
                rate("hub_rules_raised_total", legend="raised"),
                rate("hub_rules_failed_total", legend="failed"),
                most("hub_rules_busy", legend="busy"),
            ),
            panel(
                "值守负荷 Load of the desk",
                "Alarms an hour a seat (6 comfortable, 12 manageable), seats, floods, stale, shelved, bad actors.",
                most("hub_load_alarms_per_seat_hour", legend="an hour a seat"),
                most("hub_load_seats", legend="seats"),
                most("hub_load_seats_in_flood", legend="in a flood"),
                rate("hub_load_flood_seconds_total", legend="flood"),
                most("hub_load_stale", legend="stale"),
                most("hub_load_stale_technical", legend="stale technical"),
                most("hub_load_shelved", legend="shelved"),
                most("hub_load_chattering", legend="chattering"),
                most("hub_load_silences", legend="silences"),
                most("hub_load_bad_actors", legend="bad actors"),
            ),
            panel(
                "告警构成 What rings",
                "Alarms that rang and those spilled to another seat, a second; shares of a day (5, 15, 80 %).",
                rate("hub_load_rings_total", legend="rings"),
                rate("hub_load_spilled_total", legend="spilled"),
                most("hub_load_share", "priority"),
            ),
            panel(
                "排班与办结 Rota and matters",
                "Gaps of the next 14 days by kind; reported matters that rose a level unresolved, a day.",
                most("hub_rota_gaps", "kind", legend="gaps: {{kind}}"),
                within("1d", "hub_matters_overdue_total", legend="overdue"),
            ),
            panel(
                "照护计划 Care plans",
                "Care plans whose orders were made or changed for the coming weeks, an hour; all of them once a day.",
                within("1h", "hub_care_plans_followed_total", legend="followed"),
            ),
            panel(
                "上门服务 Visits",
                "Visits that became late, an hour: 15 min yellow, 30 red, 60 missed.",
                within("1h", "hub_visits_late_total", "level"),
            ),
            panel(
                "助餐 Meals",
                "Doors nobody answered that the job raised, not the tap, a day (0 is right); rounds planned, an hour.",
                within("1d", "hub_meals_unanswered_late_total", legend="raised late"),
                within("1h", "hub_meal_rounds_planned_total", legend="rounds"),
            ),
            panel(
                "日排程 Day plans",
                "Plans of a day that ended, an hour, by kind and outcome; p95 from asking to ready (a replan: 5 s).",
                within("1h", "hub_day_plans_total", "kind", "outcome"),
                quantile(0.95, "hub_day_plan_seconds", "kind"),
            ),
            panel(
                "报警通路自检 Test of the alarm path",
                "The latest test alarm: whether it came through, when, and the seconds to each step.",
                least("hub_path_test_passed", "passed"),
                target(f"time() - max(hub_path_test_timestamp_seconds{{{ONLY}}} > 0)", "age"),
                most("hub_path_test_seconds", "step"),
            ),
            panel(
                "通知 Notices",
                "Notices tried a second by result, alarm notices late, messages being sent; p99 until they leave.",
                rate("hub_notice_tries_total", "lane", "result"),
                rate("hub_notice_late_total", legend="late"),
                total("hub_notice_workers_busy", "lane", legend="{{lane}} busy"),
                quantile(0.99, "hub_notice_lag_seconds", "lane"),
            ),
            panel(
                "告警日志 Journal",
                "Alarms kept while the database was away, not yet in it; uplinks a second that went there; bytes.",
                total("hub_bridge_journal_alarms", legend="alarms waiting"),
                rate("hub_bridge_journalled_total", legend="journalled"),
                total("hub_bridge_journal_bytes", legend="bytes"),
            ),
            panel(
                "账本与结构 Ledger and schema",
                "Keys remembered, migrations missing, open files.",
                most("hub_ledger_keys", legend="keys"),
                most("hub_schema_missing", legend="migrations missing"),
                most("process_open_fds", legend="open files"),
            ),
        ),
    ),
)
