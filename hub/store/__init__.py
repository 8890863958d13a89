"""PostgreSQL: the schema, transactions, reads, wake-ups, housekeeping and reconciliation."""

from __future__ import annotations

from hub.store.housekeeping import DEFAULT_RETENTION, Retention, keep_house
from hub.store.lead import DatabaseLead, acquire_lead
from hub.store.listen import Listener
from hub.store.migrate import MigrationError, migrate, pending, timescale_edition
from hub.store.postgres import PostgresDatabase
from hub.store.reads import ReadsPostgres
from hub.store.reconcile import Reconciliation, reconcile
from hub.store.reference import seed_catalogue
from hub.store.transaction import PostgresTransaction

__all__ = [
    "DEFAULT_RETENTION",
    "DatabaseLead",
    "Listener",
    "MigrationError",
    "PostgresDatabase",
    "PostgresTransaction",
    "ReadsPostgres",
    "Reconciliation",
    "Retention",
    "acquire_lead",
    "keep_house",
    "migrate",
    "pending",
    "reconcile",
    "seed_catalogue",
    "timescale_edition",
]
