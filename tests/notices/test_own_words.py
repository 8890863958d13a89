"""A site's own words: what may stand in them, and that the next message says them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.notices import TEMPLATES, Language, Notice, Template, Words, worded
from hub.notices.wording import faults, placeholders, remarks, sample
from tests.notices.night import Night

SAID = [template for template in TEMPLATES.values() if template.name != "event"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
CALL_OUT = TEMPLATES["call_out"]


@pytest.mark.parametrize("template", SAID, ids=lambda template: template.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_hubs_own_words_keep_the_rules_for_words(template: Template, language: Language) -> None:
    assert faults(template, language, template.words(language)) == []
    assert remarks(template, language, template.words(language)) == []
    said = sample(template, language, template.words(language), site="柳岸")
    assert all(said[part] and "{" not in said[part] for part in ("title", "short", "spoken", "full"))


@pytest.mark.parametrize(
    ("part", "text", "why"),
    [
        ("short", "{place} 有人求助 {link} {nmae}", "there is no {nmae}"),
        ("short", "{place} {address} {link}", "only be read aloud"),
        ("full", "地址 {address} {link}", "only be read aloud"),
        ("short", "{place}，{what}", "must say {link}"),
        ("short", "", "must not be empty"),
        ("title", "紧急 {place}", "there is no {place} in a title"),
        ("title", "长" * 61, "at most 60"),
        ("short", "{place} {what} {link} } 请回复", "a brace stands alone"),
        ("short", "两行\n{link}", "control characters"),
        ("short", "很长的话" * 70 + "{link}", "more than 4 short messages"),
        ("spoken", "请按1接受，按0重听。", "what key 2 does"),
        ("spoken", "", "must not be empty"),
    ],
)
def test_what_harms_is_refused_with_its_part(part: str, text: str, why: str) -> None:
    words = replace(CALL_OUT.zh, **{part: text})
    assert [(one.part, why in one.text) for one in faults(CALL_OUT, "zh", words)] == [(part, True)]


def test_what_is_left_out_is_said() -> None:
    words = replace(CALL_OUT.zh, short="请前往 {place}：{link}")
    assert faults(CALL_OUT, "zh", words) == []
    assert [(one.part, one.text) for one in remarks(CALL_OUT, "zh", words)] == [
        ("short", "leaves out {site}"),
        ("short", "leaves out {what}"),
    ]
    assert "address" not in placeholders(CALL_OUT, "short")
    assert worded("call_out", {("call_out", "zh"): words}).zh == words
    assert worded("call_out", {("call_out", "zh"): words}).en == CALL_OUT.en


def test_the_next_message_says_the_new_words_and_the_old_ones_are_kept(night: Night) -> None:
    desk, actor = night.services.wordings, night.actors["zhoumin"]

    def sent() -> tuple[str, str]:
        night.ask(Notice(None, "number:13800000009", "sms", "test", until="sent"))
        night.turn()
        message = night.told_by("sms")[-1]
        return message.title, message.short

    night.begin()
    assert sent() == ("测试", "【柳岸】这是一条测试通知，无需处理。")
    own = Words("试一下", "{site}在测试，请忽略。", "{site}测试，收到请按1。", "")
    with pytest.raises(BadRequestError, match="short: must not be empty"):
        desk.change("test", "zh", replace(own, short=""), None, None, actor)
    desk.change("test", "zh", own, "更短", 0, actor)
    with pytest.raises(ConflictError):
        desk.change("test", "zh", own, None, 0, actor)
    assert sent() == ("试一下", "柳岸在测试，请忽略。")
    desk.change("test", "zh", None, None, 1, actor)
    assert sent() == ("测试", "【柳岸】这是一条测试通知，无需处理。")
    shown = desk.show("test")
    assert [(one["version"], one["standard"], one["by"] is not None) for one in shown["versions"]] == [
        (2, True, True),
        (1, False, True),
    ]
    assert (shown["zh_state"]["changed"], shown["en_state"]["version"]) == (False, 0)
    with pytest.raises(NotFoundError):
        desk.show("event")
