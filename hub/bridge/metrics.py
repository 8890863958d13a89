"""Counters and gauges of the bridge, on the registry the composition root passes in."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["BridgeMetrics"]

_BATCH_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_COMMIT_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class BridgeMetrics:
    """`lane` is `alarm`, `telemetry-0`, …; counters are added to once a batch, never once a message."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.received = Counter("hub_bridge_received", "Uplinks received", ["lane"], registry=registry)
        self.settled = Counter(
            "hub_bridge_settled", "Uplinks settled, by outcome", ["lane", "outcome"], registry=registry
        )
        self.batch_size = Histogram(
            "hub_bridge_batch_size", "Uplinks in one transaction", ["lane"], buckets=_BATCH_BUCKETS, registry=registry
        )
        self.commit_seconds = Histogram(
            "hub_bridge_commit_seconds", "Time of one transaction", ["lane"], buckets=_COMMIT_BUCKETS, registry=registry
        )
        self.queue_depth = Gauge(
            "hub_bridge_queue_depth", "Uplinks that wait for a transaction", ["lane"], registry=registry
        )
        self.oldest_seconds = Gauge(
            "hub_bridge_oldest_unsettled_seconds",
            "Age of the oldest uplink not yet settled",
            ["lane"],
            registry=registry,
        )
        self.unavailable = Counter(
            "hub_bridge_unavailable", "Transactions put off because the database was away", ["lane"], registry=registry
        )
        self.failed_batches = Counter(
            "hub_bridge_failed_batches",
            "Transactions that failed and were retried one by one",
            ["lane"],
            registry=registry,
        )
        self.only_logged = Counter(
            "hub_bridge_only_logged",
            "Uplinks that could not even be quarantined and were kept in the log",
            ["lane"],
            registry=registry,
        )
        self.journalled = Counter(
            "hub_bridge_journalled", "Uplinks kept in the journal while the database was away", registry=registry
        )
        self.journal_alarms = Gauge(
            "hub_bridge_journal_alarms", "Alarms in the journal and not yet in the database", registry=registry
        )
        self.journal_bytes = Gauge(
            "hub_bridge_journal_bytes", "Bytes of the journal, what is reserved included", registry=registry
        )
        self.connected = Gauge("hub_bridge_connected", "1 while connected and subscribed", ["lane"], registry=registry)
        self.connects = Counter("hub_bridge_connects", "Connections made to the broker", ["lane"], registry=registry)
        self.connect_failures = Counter(
            "hub_bridge_connect_failures",
            "Connections that were refused or did not come about",
            ["lane"],
            registry=registry,
        )
        self.sessions_lost = Counter(
            "hub_bridge_sessions_lost",
            "Connections at which the broker had forgotten our session",
            ["lane"],
            registry=registry,
        )
        self.stale_acks = Counter(
            "hub_bridge_stale_acks",
            "Acknowledgements dropped because their connection was gone",
            ["lane"],
            registry=registry,
        )
        self.paused = Counter(
            "hub_bridge_paused", "Times reading stopped because too much was unsettled", ["lane"], registry=registry
        )
        self.tcp_connections = Gauge(
            "hub_bridge_tcp_connections", "Open device connections", ["family"], registry=registry
        )
        self.tcp_closed = Counter(
            "hub_bridge_tcp_closed", "Device connections closed, by reason", ["reason"], registry=registry
        )
        self.tcp_conflicts = Counter(
            "hub_bridge_tcp_conflicts",
            "Two connections of one id, or two ids on one connection",
            ["kind"],
            registry=registry,
        )
        self.tcp_garbage = Counter("hub_bridge_tcp_garbage_bytes", "Bytes that belonged to no frame", registry=registry)
        self.tcp_shed = Counter(
            "hub_bridge_tcp_shed", "Telemetry frames let go because too much waited for the database", registry=registry
        )
        self.downlinks = Counter(
            "hub_bridge_downlinks", "Messages for devices, by way and outcome", ["via", "outcome"], registry=registry
        )
