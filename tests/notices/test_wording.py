"""What is said: in both languages, whole, short enough, with nothing on a lock screen that is nobody's business."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alarms.table import ALARM_TYPES
from hub.notices import TEMPLATES, Language, Template, stands
from hub.notices.rendering import MOST_SEGMENTS, fitting, render, segments

SAID = [template for template in TEMPLATES.values() if template.name != "event"]
LINK = "https://hub.example.org/t/" + "x" * 32
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.mark.parametrize("template", SAID, ids=lambda template: template.name)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_is_whole_in_both_languages(template: Template, language: Language) -> None:
    params = {name: f"〈{name}〉" for name in (*template.required, *template.optional)}
    said = render(template, params, language, site="柳岸", link=LINK, desk="0553-1234567")
    for text in (said.title, said.short, said.spoken, said.full):
        assert text
        assert "{" not in text
    for name in template.required:
        # A word that comes in both languages stands in one of them.
        if not (language == "en" and f"{name}_en" in template.required) and not (
            language == "zh" and name.endswith("_en")
        ):
            assert f"〈{name}〉" in said.short + said.spoken
    if template.asks:
        assert LINK in said.short
        assert "1" in said.spoken
        assert "2" in said.spoken
    else:
        assert LINK not in said.short


@pytest.mark.parametrize("template", SAID, ids=lambda template: template.name)
def test_a_sentence_about_a_link_goes_with_the_link(template: Template) -> None:
    params = dict.fromkeys(template.required, "x")
    for language in LANGUAGES:
        said = render(template, params, language)
        assert "{" not in said.short
        assert said.short
        assert "http" not in said.short


@given(
    st.sampled_from(SAID),
    st.sampled_from(LANGUAGES),
    st.data(),
)
def test_short_messages_stay_short_and_keep_their_link(
    template: Template, language: Language, data: st.DataObject
) -> None:
    params = {name: data.draw(st.text(max_size=400)) or "x" for name in template.required}
    said = render(template, params, language, site="柳岸社区居家养老", link=LINK)
    assert segments(said.short) <= MOST_SEGMENTS
    assert "\x00" not in said.short
    if template.asks:
        assert LINK in said.short


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("[" * 80, 1),
        ("[" * 81, 2),
        ("急" * 70, 1),
        ("急" * 71, 2),
        ("急" * 134, 2),
        ("急" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_segments(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_a_parameter_is_never_a_template() -> None:
    said = render(TEMPLATES["desk"], {"text": "{link} {site} \n\x07 <b>"}, "zh", site="柳岸", link=LINK)
    assert said.short == "【柳岸】{link} {site} <b>"


def test_codes_of_alarms_are_words() -> None:
    params = {"what": "sos", "place": "第3网格"}
    assert ALARM_TYPES["sos"].zh in render(TEMPLATES["call_out"], params, "zh").short
    assert ALARM_TYPES["sos"].en in render(TEMPLATES["call_out"], params, "en").short


@given(st.lists(st.text(min_size=1, max_size=50), max_size=40), st.integers(10, 200))
def test_messages_put_together_lose_nothing(texts: list[str], longest: int) -> None:
    parts = fitting(texts, longest)
    assert [text for part in parts for text in part] == texts
    assert all(len(part) == 1 or len("\n".join(part)) <= longest for part in parts)


def test_until_when_a_notice_is_worth_sending() -> None:
    assert stands("accepted", incident="open") is None
    assert stands("accepted", incident="acknowledged") is None
    assert stands("claimed", incident="acknowledged") is not None
    assert stands("accepted", incident="in_progress") is not None
    # A second responder may be asked while the first is on the way.
    assert stands("accepted", incident="in_progress", assignment="offered") is None
    for state in ("accepted", "declined", "stood_down", "completed", "gone"):
        assert stands("accepted", incident="open", assignment=state) is not None
    assert stands("accepted", incident="resolved", assignment="offered") is not None
    assert stands("closed", incident="in_progress") is None
    assert stands("closed", incident="closed") is not None
    assert stands("sent", incident="closed") is None
    assert stands("claimed", incident="open", shelved=True) is not None
