"""Which language is read, by the header."""

from __future__ import annotations

import pytest

from hub.wording import language_of


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, None),
        ("", None),
        ("*", None),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh-CN;q=0.8", "en"),
        ("fr-FR, zh-Hans;q=0.4, en;q=0.3", "zh"),
        ("de", None),
        ("EN;q=0.2, ZH;q=0.7", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("zh;q=often", None),
    ],
)
def test_the_language_wanted_most_of_the_two(header: str | None, language: str | None) -> None:
    assert language_of(header) == language
