"""Presence, open calls, hand-overs and wall screens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.ports.desk import HandoverRow, ScreenRow
from hub.ports.records import Json
from hub.store.session import Session, as_json, is_uuid

__all__ = ["DeskDrawer"]


class DeskDrawer:
    def __init__(self, session: Session) -> None:
        self._session = session

    def look(self, seat: bytes, user_id: str, incident_id: str, at: datetime) -> bool:
        if not is_uuid(incident_id):
            return False
        row = self._session.one("presence_look", seat=seat, user_id=user_id, incident_id=incident_id, at=at)
        return bool(row and row["moved"])

    def leave(self, seat: bytes) -> bool:
        return self._session.run("presence_leave", seat=seat) > 0

    def on_call(self, incident_id: str, since: datetime) -> bool:
        return bool(self._session.value("calls_open_on", incident_id=incident_id, since=since))

    def held_by(self, user_id: str) -> list[str]:
        return [row["id"] for row in self._session.all("held_by", user_id=user_id)]

    def handover_open_of(self, user_id: str) -> str | None:
        row = self._session.one("handovers_open_of", outgoing=user_id)
        return str(row["id"]) if row else None

    def handover_insert(
        self, row_id: str, outgoing: str, shift_from: datetime, at: datetime, remarks: str | None
    ) -> bool:
        made = self._session.one(
            "handovers_insert", id=row_id, outgoing=outgoing, shift_from=shift_from, made_at=at, remarks=remarks
        )
        return made is not None

    def handover(self, row_id: str) -> HandoverRow | None:
        row = self._session.one("handovers_get", id=row_id) if is_uuid(row_id) else None
        return HandoverRow(**row) if row else None

    def handover_save(self, row: HandoverRow) -> None:
        self._session.run(
            "handovers_save",
            id=row.id,
            state=row.state,
            incoming=row.incoming,
            body=as_json(row.body),
            remarks=row.remarks,
            signed_at=row.signed_at,
            ticked=as_json(list(row.ticked)),
            accepted_at=row.accepted_at,
            moved=as_json(list(row.moved)),
            version=row.version,
        )

    def handover_body(self, since: datetime, now: datetime) -> Json:
        return self._session.one("handover_body", since=since, now=now) or {}

    def responders_on_duty(self) -> int:
        return int(self._session.value("responders_on_duty_count"))

    def screens(self) -> Sequence[ScreenRow]:
        return [ScreenRow(**row) for row in self._session.all("screens_list")]

    def screen_add(self, row_id: str, name: str, token_hash: bytes, by: str, at: datetime) -> None:
        self._session.run("screens_add", id=row_id, name=name, token_hash=token_hash, by=by, at=at)

    def screen_of(self, token_hash: bytes) -> tuple[str, datetime | None] | None:
        row = self._session.one("screens_of_token", token_hash=token_hash)
        return (row["id"], row["seen_at"]) if row else None

    def screen_seen(self, row_id: str, at: datetime, address: str) -> None:
        self._session.run("screens_seen", id=row_id, at=at, address=address)

    def screen_revoke(self, row_id: str, by: str, at: datetime) -> bool:
        return is_uuid(row_id) and self._session.run("screens_revoke", id=row_id, by=by, at=at) > 0
