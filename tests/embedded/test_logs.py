"""The log: one line a record, in text or JSON, and no password however it got there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from hub.logs import configure_logs, redact


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield io.StringIO()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("at postgresql://hub:geheim@db:5432/hub", "at postgresql://hub:***@db:5432/hub"),
        ("mqtts://hub:ge%2Fheim@broker", "mqtts://hub:***@broker"),
        ("postgresql://hub:ge/heim@db/hub", "postgresql://hub:***@db/hub"),
        ("host=db user=hub password=geheim dbname=hub", "host=db user=hub password=*** dbname=hub"),
        ("{'password': 'geheim', 'user': 'x'}", "{'password': '***', 'user': 'x'}"),
        ("Authorization: Bearer geheim", "Authorization: Bearer ***"),
        ("http://127.0.0.1:8080/m/", "http://127.0.0.1:8080/m/"),
        ("12:30 mail a@b.example", "12:30 mail a@b.example"),
    ],
)
def test_passwords_are_taken_out(text: str, clean: str) -> None:
    assert redact(text) == clean


def test_given_secrets_are_taken_out_wherever_they_stand(output: io.StringIO) -> None:
    configure_logs("info", secrets=["geheim-1"], stream=output)
    try:
        raise ValueError("it was geheim-1")
    except ValueError:
        logging.getLogger("hub.test").exception("with %s", "geheim-1")
    assert "geheim-1" not in output.getvalue()
    assert "ValueError: it was ***" in output.getvalue()


def test_text_is_one_line_a_record(output: io.StringIO) -> None:
    configure_logs("info", stream=output)
    logging.getLogger("hub.test").info(
        "from a device: %s", "a\r\n2026-01-01 00:00:00.000Z INFO    root: forged\x1b[2J\u2028"
    )
    logging.getLogger("hub.test").debug("not shown")
    lines = output.getvalue().splitlines()
    assert len(lines) == 1
    assert "INFO    hub.test: from a device: a\\r\\n2026-01-01" in lines[0]
    assert "\x1b" not in lines[0]


def test_json_is_one_object_a_record(output: io.StringIO) -> None:
    configure_logs("debug", json=True, stream=output)
    try:
        raise OSError("no route")
    except OSError:
        logging.getLogger("hub.test").warning("王桂兰\n%d", 3, exc_info=True, extra={"device_id": "w1", "count": 2})
    (line,) = output.getvalue().splitlines()
    told = json.loads(line)
    assert told["message"] == "王桂兰\n3"
    assert (told["level"], told["logger"], told["device_id"], told["count"]) == ("warning", "hub.test", "w1", 2)
    assert "OSError: no route" in told["exception"]
    assert told["time"].endswith("+00:00")


def test_set_up_again_replaces_what_was_set_before(output: io.StringIO) -> None:
    configure_logs("info", stream=io.StringIO())
    configure_logs("info", stream=output)
    logging.getLogger("uvicorn.error").info("started")
    assert len(output.getvalue().splitlines()) == 1
