"""No refusal that can come before somebody's eyes is without its Chinese, and no Chinese is without its refusal."""

from __future__ import annotations

import re
from typing import Final

import pytest

from hub.wording import in_chinese, in_language
from hub.wording.sentences import Catalogue, read_files
from tests.wording.sentences import ROOT, sentences

_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_FIELD: Final = re.compile(r"(?:[a-z][a-z0-9_]*(?:\.[a-z_{}]+)*|\{\}): ")
_VALUES: Final = ("Wert1", "Wert2", "Wert3", "Wert4", "Wert5")
_ELSEWHERE: Final = frozenset({"validation.json", "words.json", "fields.json"})
"""Sentences of the library that checks what is sent; words and fields, which stand in many sentences."""


def _with_values(english: str) -> str:
    values = iter(_VALUES)
    return re.sub(r"\{\}", lambda _: next(values), english)


def test_every_refusal_of_the_code_has_its_chinese() -> None:
    missing = []
    for one in sentences():
        said = in_chinese(_with_values(one.english))
        if said is None or not _CHINESE.search(said):
            missing.append(f"{one.where}: {one.english}")
    assert not missing, "\n".join(sorted(set(missing)))


def test_what_was_filled_in_is_told_in_chinese_too() -> None:
    lost = []
    for one in sentences():
        english = _FIELD.sub("", one.english)
        said = in_chinese(_with_values(english))
        if said is not None and english.count("{}") == 1 and "Wert1" not in said:
            lost.append(f"{one.where}: {one.english} -> {said}")
    assert not lost, "\n".join(lost)


def test_no_sentence_of_the_catalogue_is_left_over() -> None:
    """What the code does not say any more is taken out; what nobody raises by itself stands in the code as text."""
    code = "\n".join(
        re.sub(r"\{[^{}]*\}", "{}", path.read_text(encoding="utf-8"))
        for room in ("hub", "devices", "dispatch")
        for path in (ROOT / room).rglob("*.py")
    )
    code = re.sub(r'"\s*\n\s*f?"', "", code)
    idle = [english for english in _own() if not _stands_in(english, code)]
    assert not idle, "\n".join(idle)


def _own() -> list[str]:
    files = read_files()
    return [english for name in files.keys() - _ELSEWHERE for english in files[name]]


def test_no_sentence_stands_in_two_files() -> None:
    sentences_only = [one for name, file in read_files().items() if name not in _ELSEWHERE for one in file]
    assert len(sentences_only) == len(set(sentences_only))


def _stands_in(english: str, code: str) -> bool:
    longest = max(re.split(r"\{\}|\{[a-z]+\}|\"|'", english), key=len)
    return longest in code or longest.rstrip() in code


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("no incident 0191-7", "没有告警 0191-7"),
        ("it was changed meanwhile: version 4, not 3", "期间已被改动：现为第 4 版，不是第 3 版"),
        ("cannot close: the incident is closed", "不能关闭：告警状态为已关闭"),
        ("id: is missing; 出生日期: '13 月' is not a day such as 1944-05-01",
         "编号：缺失，必须填写；出生日期：“13 月”不是日期（如 1944-05-01）"),
        ("boundary: ring 1: it crosses itself near 31.40500, 118.40500 (latitude, longitude)",
         "边界：第 1 圈：在 31.40500, 118.40500（纬度、经度）附近自相交叉"),
        ("family: there is no family 'x'; known: care, watch", "协议：没有设备协议 “x”；可用：care、watch"),
        ("王强 cannot take this: is not on duty; has not the skill nursing", "王强不能承接：不在岗；没有技能：nursing"),
        ("response plan: tiers: every tier needs a code of its own", "响应预案：呼叫级：每一级须有自己的代码"),
        ("the order is cancelled: it cannot be changed", "工单状态为已取消：不能修改"),
        ("summary: String should have at least 1 character (and 2 more)", "摘要：至少 1 个字符（另有 2 处）"),
        ("area_id: there is no area G9", "区域：没有区域 G9"),
        ("summary: Input should be a valid string (and 2 more)", "摘要：应为文字（另有 2 处）"),
        ("state: Input should be 'open', 'a' or 'b'", "状态：只能是 “open”、“a”或“b”"),
        ("cancelled by 王强", "由 王强 取消"),
        ("planning was begun three times and never came to an end", "规划三次开始都没有完成"),
        ("planning failed: ValueError: no way out", "规划出错：ValueError：no way out"),
        ("the broker does not let the test device in: no answer within 5 s",
         "消息服务器不让测试设备接入：5 秒内没有应答"),
    ],
)  # fmt: skip
def test_values_fields_and_lists_are_worded(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english


def test_of_several_that_fit_the_one_with_the_most_words_is_meant() -> None:
    book = Catalogue({"no {}": "没有 {1}", "no plan {}": "没有计划 {1}", "no plan {} here": "这里没有计划 {1}"}, {}, {})
    assert book.say("no plan P1 here") == "这里没有计划 P1"
    assert book.say("no plan P1") == "没有计划 P1"
    assert book.say("no room") == "没有 room"
    assert book.say("something else") is None


def test_a_sentence_nobody_translated_stays_whole() -> None:
    assert in_language("frobnicated beyond repair", "zh") == "frobnicated beyond repair"
    assert in_chinese("a: " * 5000) is None
    assert in_chinese("; ".join(["is missing"] * 200)) is None
