"""PostgreSQL: the schema, transactions, reads, wake-ups, housekeeping and reconciliation."""

from __future__ import annotations

from hub.store.archive import Archive, ArchiveWriter, BackupError, Kept, Manifest
from hub.store.backup import Source, back_up
from hub.store.housekeeping import DEFAULT_RETENTION, Retention, keep_house
from hub.store.lead import DatabaseLead, acquire_lead
from hub.store.listen import Listener
from hub.store.measures import Measured, Measures
from hub.store.migrate import MigrationError, migrate, pending, schema_variant, timescale_edition
from hub.store.postgres import PostgresDatabase
from hub.store.reads import ReadsPostgres
from hub.store.reconcile import Reconciliation, reconcile
from hub.store.recording import recorded, recorded_matters
from hub.store.reference import seed_catalogue
from hub.store.remembered import Remembered
from hub.store.restore import Restored, restore, running_hubs
from hub.store.rollups import roll_up
from hub.store.transaction import PostgresTransaction

__all__ = [
    "DEFAULT_RETENTION",
    "Archive",
    "ArchiveWriter",
    "BackupError",
    "DatabaseLead",
    "Kept",
    "Listener",
    "Manifest",
    "Measured",
    "Measures",
    "MigrationError",
    "PostgresDatabase",
    "PostgresTransaction",
    "ReadsPostgres",
    "Reconciliation",
    "Remembered",
    "Restored",
    "Retention",
    "Source",
    "acquire_lead",
    "back_up",
    "keep_house",
    "migrate",
    "pending",
    "reconcile",
    "recorded",
    "recorded_matters",
    "restore",
    "roll_up",
    "running_hubs",
    "schema_variant",
    "seed_catalogue",
    "timescale_edition",
]
