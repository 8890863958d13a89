"""What is said, in both languages. Data: to add a template, add a line. A site changes its words on the page
通知 (`hub.notices.wording`); these count where it did not.

`short` goes by SMS, push and onto lock screens: no name of a resident, no illness, no door code, whatever is written
in the parameters. `spoken` is read aloud on the telephone. `full` is for chat groups and mail; where it is empty the
short text is taken. `{link}` and `{number}` are filled in by the hub where there is one; a text without them loses the
sentence that speaks of it (see `rendering`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hub.notices.model import Channel, Language

__all__ = ["TEMPLATES", "Template", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """One language of a template. `title` stands above the text where a channel has titles."""

    title: str
    short: str
    spoken: str = ""
    full: str = ""


@dataclass(frozen=True, slots=True)
class Template:
    """A notice's wording. `required` and `optional` name its parameters; nothing else is taken.

    `asks`: it asks somebody to take an assignment, so it carries a link or listens for a key. `then`: what follows a
    channel that fails, where the notice does not say itself.
    """

    name: str
    zh: Words
    en: Words
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    asks: bool = False
    then: Mapping[Channel, tuple[Channel, ...]] | None = None

    def words(self, language: Language) -> Words:
        return self.en if language == "en" else self.zh


_CALLS: Final[Mapping[Channel, tuple[Channel, ...]]] = {
    "push": ("voice", "sms"),
    "voice": ("sms",),
    "sms": ("voice",),
    "chat": ("sms",),
    "mail": ("sms",),
}
_TELLS: Final[Mapping[Channel, tuple[Channel, ...]]] = {"push": ("sms",), "chat": ("sms",), "mail": ("sms",)}

_ROWS: Final = (
    Template(
        "call_out",
        Words(
            "紧急任务",
            "【{site}】紧急：{place}，{what}。请接受或拒绝：{link}",
            "这里是{site}值班台。{place}，{what}，需要您前往。地址：{address}。接受请按1，不能去请按2，重听请按0。",
            "**紧急任务** {place}，{what}。接受或拒绝：{link}",
        ),
        Words(
            "Urgent task",
            "[{site}] Urgent: {place}, {what}. Accept or decline: {link}",
            "This is the duty desk of {site}. {place}, {what}. You are needed. The address: {address}. "
            "To accept press 1. If you cannot go press 2. To hear this again press 0.",
            "**Urgent task** {place}, {what}. Accept or decline: {link}",
        ),
        # `place` is an area; the address is read to whoever answers and shown to whoever accepts, on no lock screen.
        required=("what", "place"),
        optional=("number", "address"),
        asks=True,
        then=_CALLS,
    ),
    Template(
        "unclaimed",
        Words(
            "无人受理",
            "【{site}】{number}号告警（{what}）已{seconds}秒无人受理，请立即处理。",
            "这里是{site}。{number}号告警，{what}，已{seconds}秒无人受理，请立即处理。",
        ),
        Words(
            "Unclaimed alarm",
            "[{site}] Alarm {number} ({what}) unclaimed for {seconds} s. Please act now.",
            "This is {site}. Alarm {number}, {what}, has been unclaimed for {seconds} seconds. Please act now.",
        ),
        required=("number", "what", "seconds"),
        then=_CALLS,
    ),
    Template(
        "stood_down",
        Words(
            "不必前往",
            "【{site}】{number}号任务不再需要您：{reason}。谢谢。",
            "{number}号任务不再需要您：{reason}。谢谢。",
        ),
        Words(
            "Stood down",
            "[{site}] You are no longer needed for task {number}: {reason}. Thank you.",
            "You are no longer needed for task {number}: {reason}. Thank you.",
        ),
        required=("number", "reason"),
        then=_TELLS,
    ),
    Template(
        "on_the_way",
        Words(
            "已有人前往",
            "【{site}】您家人的求助已收到，{who}正在前往，约{minutes}分钟到达。",
            "这里是{site}。您家人的求助已收到，{who}正在前往，约{minutes}分钟到达。",
        ),
        Words(
            "Somebody is coming",
            "[{site}] Your relative's call for help was received. {who} is on the way, about {minutes} min.",
            "This is {site}. Your relative's call for help was received. {who} is on the way, about {minutes} minutes.",
        ),
        required=("who", "minutes"),
        then=_TELLS,
    ),
    Template(
        "family_alert",
        Words(
            "家人求助",
            "【{site}】您的家人发出求助（{what}），值班台正在处理。请保持电话畅通，详情见家属页面。",
            "这里是{site}。您的家人发出求助，{what}，值班台正在处理，请保持电话畅通。听到请按1。",
        ),
        Words(
            "Your relative called for help",
            "[{site}] Your relative called for help ({what}). The desk is on it; please keep your phone at hand.",
            "This is {site}. Your relative called for help: {what}. The desk is on it. Please keep your phone at hand. "
            "If you have heard this press 1.",
        ),
        required=("what",),
        then=_CALLS,
    ),
    Template(
        "resolved",
        Words("已处理", "【{site}】您家人的求助（{what}）已处理完毕。", "这里是{site}。您家人的求助已处理完毕。"),
        Words(
            "Dealt with",
            "[{site}] Your relative's call for help ({what}) has been dealt with.",
            "This is {site}. Your relative's call for help has been dealt with.",
        ),
        required=("what",),
        then=_TELLS,
    ),
    Template(
        "welfare",
        Words(
            "请报平安",
            "【{site}】{number}号任务：请在手机上报平安。也可打值班电话{desk}。",
            "这里是{site}。{number}号任务，您好久没有消息。平安请按1，需要帮助请按2。",
        ),
        Words(
            "Are you all right?",
            "[{site}] Task {number}: please say on your phone that all is well. Or call {desk}.",
            "This is {site}. Task {number}: we have not heard from you. If all is well press 1, for help press 2.",
        ),
        required=("number",),
        optional=("desk",),
        then=_CALLS,
    ),
    Template(
        "rota_gap",
        Words("值班空缺", "【{site}】{day} {span} {where}无人值班（{role}），请安排。"),
        Words("Gap in the rota", "[{site}] {day} {span} {where}: nobody on duty ({role}). Please arrange."),
        required=("day", "span", "where", "role"),
        then=_TELLS,
    ),
    Template(
        "overdue",
        Words("超时督办", "【{site}】{number}号事项已超过办理时限，现升级督办，请处理。"),
        Words("Overdue", "[{site}] Matter {number} is past its deadline and has been raised one level. Please act."),
        required=("number",),
        then=_TELLS,
    ),
    Template(
        "service",
        Words("服务通知", "【{site}】{text}"),
        Words("Service notice", "[{site}] {text}"),
        required=("text",),
        then=_TELLS,
    ),
    Template(
        "desk",
        Words("值班台通知", "【{site}】{text}", "这里是{site}值班台。{text}"),
        Words("From the duty desk", "[{site}] {text}", "This is the duty desk of {site}. {text}"),
        required=("text",),
        then=_TELLS,
    ),
    Template(
        "notice_trouble",
        Words("通知未送达", "【{site}】{number}号告警的通知未能送达（{channel}）：{reason}。请改用电话。"),
        Words(
            "Notice not delivered",
            "[{site}] A notice of alarm {number} failed ({channel}): {reason}. Please telephone.",
        ),
        required=("number", "channel", "reason"),
    ),
    Template(
        "test",
        Words(
            "测试", "【{site}】这是一条测试通知，无需处理。", "这里是{site}。这是一次测试通话，无需处理。收到请按1。"
        ),
        Words(
            "Test",
            "[{site}] This is a test. Nothing needs to be done.",
            "This is {site}. This is a test call. Nothing needs to be done. If you have heard it press 1.",
        ),
    ),
    Template(
        "nobody_left",
        Words(
            "无人应答",
            "【{site}】{number}号告警（{what}）：预案中的人员已全部呼叫，无人接受，请立即安排。",
            "这里是{site}。{number}号告警，{what}，预案中的人员已全部呼叫，无人接受，请立即安排。",
        ),
        Words(
            "Nobody accepts",
            "[{site}] Alarm {number} ({what}): everybody in the plan was called, nobody accepted. Please act now.",
            "This is {site}. Alarm {number}, {what}: everybody in the plan was called and nobody has accepted. "
            "Please act now.",
        ),
        required=("number", "what"),
        then=_CALLS,
    ),
    Template(
        "late_on_scene",
        Words(
            "未按时到场",
            "【{site}】{number}号告警（{what}）：无人在规定时间内到场，请立即跟进。",
            "这里是{site}。{number}号告警，{what}，无人在规定时间内到场，请立即跟进。",
        ),
        Words(
            "Nobody on scene",
            "[{site}] Alarm {number} ({what}): nobody is on scene in time. Please follow up now.",
            "This is {site}. Alarm {number}, {what}: nobody is on scene in time. Please follow up now.",
        ),
        required=("number", "what"),
        then=_CALLS,
    ),
    Template(
        "no_word",
        Words(
            "现场人员失联",
            "【{site}】{number}号告警（{what}）：现场人员未报平安，请立即联系。",
            "这里是{site}。{number}号告警，{what}，现场人员未报平安，请立即联系。",
        ),
        Words(
            "No word from the scene",
            "[{site}] Alarm {number} ({what}): the responder on scene does not answer. Please make contact now.",
            "This is {site}. Alarm {number}, {what}: the responder on scene does not answer. Please make contact now.",
        ),
        required=("number", "what"),
        then=_CALLS,
    ),
    Template(
        "left_alone",
        Words(
            "受理后无动作",
            "【{site}】{number}号告警（{what}）受理后无人跟进，请立即处理。",
            "这里是{site}。{number}号告警，{what}，受理后无人跟进，请立即处理。",
        ),
        Words(
            "Left alone",
            "[{site}] Alarm {number} ({what}) was claimed and then left alone. Please act now.",
            "This is {site}. Alarm {number}, {what}, was claimed and then left alone. Please act now.",
        ),
        required=("number", "what"),
        then=_CALLS,
    ),
    Template(
        "escalated",
        Words(
            "升级告警",
            "【{site}】{number}号告警（{what}）已升级，请关注。",
            "这里是{site}。{number}号告警，{what}，已升级，请关注。",
        ),
        Words(
            "Escalated",
            "[{site}] Alarm {number} ({what}) was escalated. Please look at it.",
            "This is {site}. Alarm {number}, {what}, was escalated. Please look at it.",
        ),
        required=("number", "what"),
        then=_CALLS,
    ),
    Template(
        "visit_planned",
        Words("服务安排", "【{site}】{day} {span}，{who}上门服务：{what}。"),
        Words("Your service", "[{site}] {day} {span}: {who} will come for {what_en}."),
        required=("day", "span", "who", "what", "what_en"),
        then=_TELLS,
    ),
    Template(
        "visit_moved",
        Words("服务时间有变", "【{site}】服务有变：{day}的{what}改为{span}，由{who}上门。"),
        Words("Your service has changed", "[{site}] Changed: {what_en} on {day} is now {span}, by {who}."),
        required=("day", "span", "who", "what", "what_en"),
        then=_TELLS,
    ),
    Template(
        "visit_off",
        Words("服务暂无法按时进行", "【{site}】{day}的{what}无法按原时间进行，我们会另行与您联系。"),
        Words(
            "Your service cannot take place as planned",
            "[{site}] {what_en} on {day} cannot take place as planned. We will contact you.",
        ),
        required=("day", "what", "what_en"),
        then=_TELLS,
    ),
    Template(
        "route_changed",
        Words("路线更新", "【{site}】您{day}的路线有{count}处更新，请在手机上查看。"),
        Words("Your route", "[{site}] {count} change(s) in your route of {day}. Please look at your phone."),
        required=("day", "count"),
        then=_TELLS,
    ),
    Template("event", Words("", ""), Words("", ""), required=("event", "payload")),
)

TEMPLATES: Final[Mapping[str, Template]] = {row.name: row for row in _ROWS}
"""Name -> template. `event` is what a webhook carries; it has no words."""
