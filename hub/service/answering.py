"""Answers to notices: a link in a message, a key pressed on the telephone. Bound to one person and one assignment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, ForbiddenError, NotFoundError
from hub.notices import TEMPLATES, Language, party_of, worded
from hub.notices.rendering import render
from hub.ports import Actor, Database, Json, Transaction
from hub.ports.notices import TokenRow
from hub.service.dispatching import Dispatching
from hub.service.following import Following, entry
from hub.service.handling import Handling
from hub.service.sending import Wording, digest_of

__all__ = ["Answering", "LinkView"]

LinkState = Literal["open", "accepted", "declined", "too_late", "expired"]
_DECLINED = "declined by telephone or link"
_EVENTS = ("ringing", "answered", "busy", "no_answer", "failed", "ended", "key")


@dataclass(frozen=True, slots=True)
class LinkView:
    """What the page behind a link shows. No name of a resident, no illness: who forwards the link forwards this."""

    state: LinkState
    language: Language
    title: str
    text: str
    why: str | None = None
    address: str | None = None
    """Only for whoever has accepted."""


class Answering:
    """Thread-safe; each answer is taken once, and told again as often as it is asked for."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        dispatching: Dispatching,
        handling: Handling,
        following: Following,
        wording: Wording,
    ) -> None:
        self._database = database
        self._clock = clock
        self._dispatching = dispatching
        self._handling = handling
        self._following = following
        self._wording = wording

    # --- links

    def show(self, token: str) -> LinkView:
        """Changes nothing: programs that preview links open them too. NotFoundError for a token there is not."""
        with self._database.begin() as tx:
            return self._view(tx, _found(tx.notices.token(digest_of(token)), "link"))

    def act(self, token: str, action: str) -> LinkView:
        """The page's button. Pressed twice, or after the key on the telephone, it tells what was answered first."""
        if action not in ("accept", "decline"):
            raise BadRequestError("action: accept or decline", field="action")
        now = self._clock()
        with self._database.begin() as tx:
            row = _found(tx.notices.token(digest_of(token)), "link")
            if row.used_at is not None or row.expires_at <= now:
                return self._view(tx, row)
            person = self._person(tx, row)
        self._answer(digest_of(token), row, action, person)
        return self.show(token)

    def _view(self, tx: Transaction, row: TokenRow) -> LinkView:
        template = worded(row.template, tx.notices.wordings())
        said = render(template, row.params, row.language, site=self._wording.site, desk=self._wording.desk)
        assignment = tx.assignments.get(row.assignment_id) if row.assignment_id else None
        state: LinkState = "open"
        why = None
        if assignment is not None and assignment.state in ("accepted", "en_route", "on_scene", "completed"):
            state = "accepted"
        elif assignment is not None and assignment.state == "declined":
            state = "declined"
        elif assignment is None or assignment.state == "stood_down":
            state, why = "too_late", assignment.reason if assignment else None
        elif row.expires_at <= self._clock():
            state = "expired"
        address = str(row.params.get("address") or "") if state == "accepted" else ""
        return LinkView(state, row.language, said.title, said.full.replace("**", ""), why, address or None)

    # --- the telephone

    def heard(self, token: str, event: str, key: str | None = None) -> Json:
        """What a gateway tells of a call: `event`, and for `key` the digit pressed.

        Gives `{"result", "say"}`: `say` is what may be read to the person now. The same word again changes nothing.
        """
        if event not in _EVENTS:
            raise BadRequestError(f"event: one of {', '.join(_EVENTS)}", field="event")
        digest, now = digest_of(token), self._clock()
        with self._database.begin() as tx:
            token_row = _found(tx.notices.token(digest), "voice")
            notice = tx.notices.get(token_row.notice_id, lock=True)
            if notice is None:
                raise NotFoundError("there is no such call")
            if event in ("answered", "busy", "no_answer", "failed"):
                self._following.ended(tx, notice, event, now)
            elif event == "key":
                self._following.ended(tx, notice, "answered", now)
            elif event == "ended":
                if notice.outcome is None:
                    self._following.ended(tx, notice, "no_answer", now)
                self._following.hung_up(tx, notice, now, answer=token_row.action)
            if event != "key":
                return {"result": event, "say": None}
            if token_row.used_at is not None:
                return {"result": token_row.action, "say": token_row.answer}
            if token_row.expires_at <= now:
                return {"result": "expired", "say": _say(token_row.language, "expired")}
            person = self._person(tx, token_row) if token_row.assignment_id else None
        return self._pressed(digest, token_row, (key or "").strip(), person)

    def _pressed(self, digest: bytes, row: TokenRow, key: str, person: Actor | None) -> Json:
        if key not in ("1", "2"):
            return {"result": "again", "say": _say(row.language, "again")}
        if person is not None and TEMPLATES[row.template].asks:
            return self._answer(digest, row, "accept" if key == "1" else "decline", person)
        if row.template == "welfare" and person is not None and row.assignment_id and row.incident_id:
            return self._welfare(digest, row, key, person)
        now = self._clock()
        with self._database.begin() as tx:
            words = _say(row.language, "heard")
            tx.notices.use_token(digest, "accept" if key == "1" else "decline", words, now)
            notice = tx.notices.get(row.notice_id)
            if notice is not None and tx.notices.settle(row.notice_id, "accepted", now):
                tx.timeline.add(*entry(notice, "heard", now))
        return {"result": "heard", "say": words}

    def _welfare(self, digest: bytes, row: TokenRow, key: str, person: Actor) -> Json:
        assert row.assignment_id is not None
        assert row.incident_id is not None
        try:
            if key == "1":
                self._dispatching.all_well(row.assignment_id, person)
            else:
                self._handling.escalate(row.incident_id, person, f"{person.name} asks for help by telephone")
        except ConflictError as error:
            return self._keep(digest, row, "decline", _say(row.language, "too_late"), error.detail)
        return self._keep(digest, row, "accept", _say(row.language, "heard" if key == "1" else "help"))

    def _answer(self, digest: bytes, row: TokenRow, action: str, person: Actor) -> Json:
        """Accepts or declines; the step itself is done once however often it is asked for."""
        assert row.assignment_id is not None
        try:
            if action == "accept":
                self._dispatching.step(row.assignment_id, "accept", person)
            else:
                self._dispatching.step(row.assignment_id, "decline", person, reason=_DECLINED)
        except ConflictError as error:
            return self._keep(digest, row, action, _say(row.language, "too_late"), error.detail)
        return self._keep(digest, row, action, _say(row.language, action))

    def _keep(self, digest: bytes, row: TokenRow, action: str, words: str, why: str | None = None) -> Json:
        now = self._clock()
        with self._database.begin() as tx:
            tx.notices.use_token(digest, action, words, now)
            if why is None:
                tx.notices.settle(row.notice_id, "accepted" if action == "accept" else "declined", now)
        return {"result": "too_late" if why else action, "say": words}

    def _person(self, tx: Transaction, row: TokenRow) -> Actor:
        """Whoever was asked, as the one who answers. ForbiddenError where the assignment is somebody else's."""
        if row.assignment_id is None:
            raise BadRequestError("this link asks for nothing", field="token")
        assignment = tx.assignments.get(row.assignment_id)
        if assignment is None:
            raise NotFoundError("there is no such assignment")
        kind, ident = party_of(row.party)
        contact = tx.reference.get("contacts", ident) if kind == "contact" else None
        if assignment.responder_id not in (ident if kind == "responder" else None, (contact or {}).get("responder_id")):
            raise ForbiddenError("this assignment is somebody else's")
        responder = tx.responders.get(assignment.responder_id)
        if responder is None:
            raise NotFoundError("there is no such responder")
        return Actor(kind="responder", name=responder.name, role="staff", person_id=responder.id)


def _found(row: TokenRow | None, purpose: str) -> TokenRow:
    if row is None or row.purpose != purpose:
        raise NotFoundError("there is no such link, or it is not yours")
    return row


_WORDS: dict[str, dict[Language, str]] = {
    "accept": {"zh": "已接受，请尽快前往，详情见手机。", "en": "Accepted. Please go now; details are on your phone."},
    "decline": {"zh": "已拒绝，谢谢。", "en": "Declined. Thank you."},
    "too_late": {"zh": "任务已不再需要您，谢谢。", "en": "You are not needed any more. Thank you."},
    "expired": {"zh": "该通知已过期，请联系值班台。", "en": "This has expired. Please call the duty desk."},
    "again": {"zh": "接受请按1，不能去请按2。", "en": "To accept press 1, if you cannot go press 2."},
    "heard": {"zh": "收到，谢谢。", "en": "Thank you."},
    "help": {"zh": "已通知值班台，马上联系您。", "en": "The desk has been told and will call you."},
}


def _say(language: Language, what: str) -> str:
    return _WORDS[what][language]
