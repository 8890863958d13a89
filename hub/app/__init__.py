"""What the commands call. `compose` is the composition root."""

from __future__ import annotations

from hub.api.loading import Loaded, preview_lines, write_bad
from hub.app.administration import (
    Finding,
    add_device,
    add_integration,
    add_user,
    check,
    integrations,
    load,
    migrate_schema,
    reconcile,
    revoke_integration,
)
from hub.app.backups import Backup, backup, backup_manifest, restore_backup
from hub.app.channels import try_channel
from hub.app.compose import Hub
from hub.app.demo import DEMO_DEFAULTS, demo
from hub.app.parts import PARTS, Part, parse_parts
from hub.app.quarantines import (
    discard_quarantined,
    quarantined,
    quarantined_text,
    replay_quarantined,
    show_quarantined,
)
from hub.app.replaying import Replayed, compare_with_old, record_span, replay_file, zone_named
from hub.app.serving import serve
from hub.app.showing import PLAYS, Play

__all__ = [
    "DEMO_DEFAULTS",
    "PARTS",
    "PLAYS",
    "Backup",
    "Finding",
    "Hub",
    "Loaded",
    "Part",
    "Play",
    "Replayed",
    "add_device",
    "add_integration",
    "add_user",
    "backup",
    "backup_manifest",
    "check",
    "compare_with_old",
    "demo",
    "discard_quarantined",
    "integrations",
    "load",
    "migrate_schema",
    "parse_parts",
    "preview_lines",
    "quarantined",
    "quarantined_text",
    "reconcile",
    "record_span",
    "replay_file",
    "replay_quarantined",
    "restore_backup",
    "revoke_integration",
    "serve",
    "show_quarantined",
    "try_channel",
    "write_bad",
    "zone_named",
]
