"""Answers to notices: the page behind a link, what telephone gateways tell, browsers that take pushes.

A GET changes nothing: programs that preview links open them. The token in the address is the proof of who answers.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode
from html import escape
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import msgspec
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import StringConstraints
from starlette.concurrency import run_in_threadpool

from hub.api.answers import JsonAnswer
from hub.api.deps import Hub, HubDep, Who, address_of, check_origin
from hub.api.fields import Request as Fields
from hub.api.public_gate import Rate
from hub.api.routing import api_router
from hub.api.views_notices import PushKey, VoiceHeard
from hub.api.writes import Write
from hub.errors import BadRequestError, ForbiddenError, NotFoundError
from hub.notify import PushOutlet, verified
from hub.ports import PushTarget
from hub.service import LinkView

__all__ = ["pages", "router"]

router = api_router("answers")
pages = APIRouter(tags=["answers"])

_LOOKS = Rate(burst=60, every_s=2)
_HEARD = Rate(burst=300, every_s=0.2)
Token = Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_-]{20,64}$", description="As sent")]

_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
}
_WORDS = {
    "zh": {
        "accept": "接受，马上去",
        "decline": "不能去",
        "accepted": "您已接受。请尽快前往，详情见手机任务页。",
        "declined": "您已拒绝，已转告他人。谢谢。",
        "too_late": "任务已不再需要您，谢谢。",
        "expired": "该链接已过期，请联系值班台。",
        "open": "打开任务页",
        "gone": "链接无效或已过期",
        "gone_text": "请联系值班台。",
    },
    "en": {
        "accept": "Accept, I am going",
        "decline": "I cannot go",
        "accepted": "You have accepted. Please go now; details are on the task page.",
        "declined": "You have declined; somebody else is asked. Thank you.",
        "too_late": "You are not needed any more. Thank you.",
        "expired": "This link has expired. Please call the duty desk.",
        "open": "Open the task page",
        "gone": "This link is not valid or has expired",
        "gone_text": "Please call the duty desk.",
    },
}
_STYLE = (
    "body{font:18px/1.6 system-ui,sans-serif;margin:0;padding:24px;max-width:520px;color:#111;background:#fff}"
    "button,a.b{display:block;width:100%;box-sizing:border-box;min-height:56px;margin:16px 0;font:inherit;"
    "font-weight:600;border-radius:8px;border:2px solid #0b5cad;text-align:center;line-height:52px;"
    "text-decoration:none;cursor:pointer}"
    "button.y,a.b{background:#0b5cad;color:#fff}button.n{background:#fff;color:#0b5cad}"
    "@media(prefers-color-scheme:dark){body{background:#14181d;color:#e8edf2}button.n{background:#14181d;color:#8cc2ff}}"
)


def _page(language: str, title: str, inside: str, status: int = 200) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{inside}</main>"
        "</body></html>"
    )
    return HTMLResponse(html, status_code=status, headers=_PAGE_HEADERS)


def _shown(view: LinkView) -> HTMLResponse:
    words = _WORDS[view.language]
    inside = f"<p>{escape(view.text)}</p>"
    if view.state == "open":
        # The buttons post to the address of this page: the token stands nowhere else.
        inside += (
            '<form method="post">'
            f'<button class="y" name="action" value="accept">{escape(words["accept"])}</button>'
            f'<button class="n" name="action" value="decline">{escape(words["decline"])}</button></form>'
        )
    else:
        inside += f'<p role="status"><strong>{escape(words[view.state])}</strong></p>'
        if view.why:
            inside += f"<p>{escape(view.why)}</p>"
    if view.address:
        inside += f"<p><strong>{escape(view.address)}</strong></p>"
    if view.state == "accepted":
        inside += f'<p><a class="b" href="/m/">{escape(words["open"])}</a></p>'
    return _page(view.language, view.title, inside)


def _gone(request: Request) -> HTMLResponse:
    language = "en" if request.headers.get("accept-language", "zh").lower().startswith("en") else "zh"
    words = _WORDS[language]
    return _page(language, words["gone"], f"<p>{escape(words['gone_text'])}</p>", 404)


@pages.get("/t/{token}", response_class=HTMLResponse, summary="The page behind a link in a message")
def show_link(hub: HubDep, request: Request, token: Token) -> Response:
    """Changes nothing."""
    hub.public_gate.admit("link", address_of(request), _LOOKS)
    try:
        return _shown(hub.services.answering.show(token))
    except NotFoundError:
        return _gone(request)


@pages.post("/t/{token}", response_class=HTMLResponse, summary="The page's button: accept or decline")
async def post_link(hub: HubDep, request: Request, token: Token) -> Response:
    """A form with `action`. Pressed again it shows what was answered first."""
    check_origin(request, strict=False)
    hub.public_gate.admit("link", address_of(request), _LOOKS)
    action = (_form(await request.body()).get("action") or [""])[0]
    try:
        return _shown(await run_in_threadpool(hub.services.answering.act, token, action))
    except NotFoundError:
        return _gone(request)


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode(), max_num_fields=20)
    except (UnicodeDecodeError, ValueError):
        raise BadRequestError("the form cannot be read") from None


@router.post("/voice/{token}", response_model=VoiceHeard, summary="What a telephone gateway tells of a call")
async def post_voice(hub: HubDep, request: Request, token: Token) -> Response:
    """JSON `{"event", "key"}`, or the same as a form, which is answered in one plain line: result|what to say.

    Proof: `Authorization: Bearer` with HUB_VOICE__CALLBACK_SECRET, or the signature of the hub's webhooks made with it.
    """
    hub.public_gate.admit("voice", address_of(request), _HEARD)
    body = await request.body()
    _prove(hub, request, body)
    plain = "json" not in request.headers.get("content-type", "json")
    fields = _form_fields(body) if plain else _json_fields(body)
    event, key = fields.get("event", ""), fields.get("key")
    heard = await run_in_threadpool(hub.services.answering.heard, token, event, key)
    if plain:
        return PlainTextResponse(f"{heard['result']}|{heard['say'] or ''}", headers={"Cache-Control": "no-store"})
    return JsonAnswer(heard)


def _prove(hub: Hub, request: Request, body: bytes) -> None:
    secret = hub.settings.voice.callback_secret.get_secret_value()
    if not secret:
        raise NotFoundError("no telephone gateway is set up to tell of calls")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), secret.encode()):
        return
    headers = {name.lower(): value for name, value in request.headers.items()}
    if not verified(secret, headers, body, hub.clock()):
        raise ForbiddenError("the gateway's proof is missing, wrong or too old", code="proof")


def _json_fields(body: bytes) -> dict[str, str]:
    try:
        return msgspec.json.decode(body, type=dict[str, str])
    except msgspec.MsgspecError:
        raise BadRequestError('expected {"event": "…", "key": "…"}') from None


def _form_fields(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in _form(body).items()}


# --- browsers that take pushes


class PushKeys(Fields):
    p256dh: Annotated[str, StringConstraints(max_length=120, pattern=r"^[A-Za-z0-9_-]+=*$")]
    auth: Annotated[str, StringConstraints(max_length=60, pattern=r"^[A-Za-z0-9_-]+=*$")]


class PushSubscription(Fields):
    """As the browser gives it."""

    endpoint: Annotated[str, StringConstraints(max_length=800, pattern=r"^https://\S+$")]
    keys: PushKeys


class PushEndpoint(Fields):
    endpoint: Annotated[str, StringConstraints(max_length=800)]


@router.get("/my/push", response_model=PushKey, summary="With which key a browser subscribes to pushes")
def show_push(hub: HubDep) -> Response:
    return JsonAnswer({"public_key": _push_key(hub)})


@router.post("/my/push", response_model=PushKey, status_code=201, summary="This browser takes pushes")
def post_push(hub: HubDep, who: Who, write: Write, body: PushSubscription) -> Response:
    if _push_key(hub) is None:
        raise NotFoundError("pushes are not set up here")
    host = urlsplit(body.endpoint).hostname or ""
    # The hub posts to this address: it must be a push service and nothing of the house's own network.
    if not any(re.fullmatch(pattern, host) for pattern in hub.settings.push.patterns()):
        raise BadRequestError("endpoint: is no push service of HUB_PUSH__SERVICES", field="endpoint")
    try:
        p256dh, auth = _raw(body.keys.p256dh), _raw(body.keys.auth)
    except ValueError:
        raise BadRequestError("keys: are not base64url", field="keys") from None
    if len(p256dh) != 65 or len(auth) != 16:
        raise BadRequestError("keys: p256dh has 65 bytes, auth 16", field="keys")
    target = PushTarget(hub.new_id(), body.endpoint, p256dh, auth)

    def act() -> None:
        with hub.database.begin() as tx:
            tx.notices.subscribe(target, who.user_id, hub.clock())

    return write.once(act, lambda _done: {"public_key": _push_key(hub)}, status=201)


@router.post("/my/push/remove", response_model=PushKey, summary="This browser takes no pushes any more")
def post_push_remove(hub: HubDep, who: Who, write: Write, body: PushEndpoint) -> Response:
    def act() -> None:
        with hub.database.begin() as tx:
            tx.notices.unsubscribe(body.endpoint, who.user_id)

    return write.once(act, lambda _done: {"public_key": _push_key(hub)})


def _push_key(hub: Hub) -> str | None:
    outlet = hub.services.sending.outlets.get("push")
    return outlet.public_key if isinstance(outlet, PushOutlet) else None


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
