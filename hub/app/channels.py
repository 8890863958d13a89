"""The channels that the settings name, made ready; looking at them and trying them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from zoneinfo import ZoneInfo

from hub.clock import new_id, utc_now
from hub.errors import BadRequestError, SettingError
from hub.notices import CHANNELS, TEMPLATES, Channel
from hub.notices.pacing import QuietHours
from hub.notices.rendering import render
from hub.notify import (
    AliyunSms,
    AmiVoice,
    AriVoice,
    CloudVoice,
    FreeswitchVoice,
    GenericSms,
    PushOutlet,
    SmsPlan,
    TencentSms,
    VapidKey,
    VoicePlan,
    WebhookOutlet,
    calls_a_minute,
    messages_a_minute,
)
from hub.ports import Message, Outlet, SendFailedError
from hub.service import Wording
from hub.settings import Settings

__all__ = ["channel_lines", "outlets_of", "quiet_of", "try_channel", "wording_of"]

_SMS: Mapping[str, Callable[[SmsPlan], Outlet]] = {"aliyun": AliyunSms, "tencent": TencentSms, "generic": GenericSms}


def wording_of(settings: Settings) -> Wording:
    """What every message may speak of."""
    return Wording(settings.site.name, settings.site.phone, settings.notify.public_url or "")


def quiet_of(settings: Settings) -> QuietHours | None:
    """When routine notices wait."""
    given = settings.notify
    if given.quiet_from == given.quiet_to:
        return None
    return QuietHours(given.quiet_from, given.quiet_to, ZoneInfo(settings.site.time_zone))


def outlets_of(settings: Settings) -> dict[Channel, Outlet]:
    """The channels that are set up; webhooks always are. SettingError names what is wrong."""
    found: dict[Channel, Outlet] = {"webhook": WebhookOutlet()}
    voice = _voice(settings)
    if voice is not None:
        found["voice"] = voice
    if settings.sms.provider != "none":
        found["sms"] = _sms(settings)
    if settings.chat.groups or settings.mail.url is not None:
        # apprise knows more than a hundred services and takes a second to say so: only where it is wanted.
        chat = import_module("hub.notify.chat")
        try:
            if settings.chat.groups:
                groups = {name: url.get_secret_value() for name, url in settings.chat.groups.items()}
                found["chat"] = chat.ChatGroups(groups)
            if settings.mail.url is not None:
                found["mail"] = chat.Mail(settings.mail.url.get_secret_value())
        except ValueError as error:
            name = "HUB_CHAT__GROUPS" if "mail" not in str(error) else "HUB_MAIL__URL"
            raise SettingError(f"{name}: {error}") from None
    if settings.push.key_file is not None:
        try:
            found["push"] = PushOutlet(VapidKey.of_file(settings.push.key_file, settings.push.contact))
        except ValueError as error:
            raise SettingError(f"HUB_PUSH__KEY_FILE: {error}") from None
    return found


def _voice(settings: Settings) -> Outlet | None:
    given = settings.voice
    plan = VoicePlan(
        given.endpoint,
        given.context,
        given.caller_id,
        given.prefix,
        calls_a_minute(given.calls_per_minute),
        given.callback_secret.get_secret_value(),
    )
    password = given.password.get_secret_value()
    if given.provider == "ari":
        return AriVoice(given.url, given.user, password, plan)
    if given.provider == "ami":
        return AmiVoice(given.url, given.user, password, plan)
    if given.provider == "freeswitch":
        return FreeswitchVoice(given.url, given.user, password, plan)
    return CloudVoice(given.url, password, plan) if given.provider == "cloud" else None


def _sms(settings: Settings) -> Outlet:
    given = settings.sms
    plan = SmsPlan(
        url=given.address(),
        key_id=given.key_id,
        secret=given.key_secret.get_secret_value(),
        sign_name=given.sign_name,
        app_id=given.app_id,
        region=given.region,
        templates=given.templates,
        params=given.orders(),
        rule=messages_a_minute(given.messages_per_minute),
    )
    return _SMS[given.provider](plan)


def channel_lines(settings: Settings) -> list[tuple[bool, str, str]]:
    """Each channel, whether it would work, and in plain words why (not). Sends nothing."""
    lines = []
    for channel, outlet in outlets_of(settings).items():
        try:
            lines.append((True, f"channel {channel} ({outlet.provider})", outlet.check()))
        except SendFailedError as error:
            lines.append((False, f"channel {channel} ({outlet.provider})", error.detail))
    given = settings.voice
    if given.provider != "none" and not given.callback_secret.get_secret_value():
        lines.append((False, "channel voice", "HUB_VOICE__CALLBACK_SECRET is not set: no key press can be taken"))
    if settings.notify.public_url is None and {"voice", "sms", "chat"} & {*outlets_of(settings)}:
        words = "HUB_NOTIFY__PUBLIC_URL is not set: messages carry no links, calls take no key presses"
        lines.append((False, "links", words))
    return lines


def try_channel(settings: Settings, channel: str, to: str) -> str:
    """Sends the template `test` at once, past lanes and rates; gives what became of it. Needs no database."""
    known: Mapping[str, Channel] = {name: name for name in CHANNELS}
    if channel not in known or channel in ("webhook", "push"):
        raise BadRequestError(f"{channel}: one of voice, sms, chat, mail; webhooks are tried on their page")
    outlet = outlets_of(settings).get(known[channel])
    if outlet is None:
        raise SettingError(f"HUB_{channel.upper()}__…: the channel {channel} is not set up")
    said = render(TEMPLATES["test"], {}, "zh", site=settings.site.name)
    now = utc_now()
    message = Message(
        key=new_id(),
        channel=known[channel],
        lane="alarm",
        template="test",
        language="zh",
        address=to,
        expires_at=now.replace(year=now.year + 1),
        now=now,
        title=said.title,
        short=said.short,
        spoken=said.spoken,
        full=said.full,
        values=said.values,
    )
    sent = outlet.send(message)
    return f"{outlet.provider} took it" + (f" as {sent.ref}" if sent.ref else "")
