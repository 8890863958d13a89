"""Who looked at what and changed what: append-only."""

from __future__ import annotations

from datetime import datetime

from hub.ports.records import Actor, Json
from hub.store.session import Session, as_json

__all__ = ["AuditDrawer"]


class AuditDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def add(
        self, actor: Actor, action: str, subject: str | None, detail: Json, at: datetime, address: str | None = None
    ) -> None:
        self._session.run(
            "audit_add",
            at=at,
            user_id=actor.user_id,
            name=actor.name,
            action=action,
            subject=subject,
            detail=as_json(detail),
            address=address,
        )
