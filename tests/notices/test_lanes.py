"""The senders as they run: threads, a provider that hangs, a bell. And channels as settings name them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.app.channels import channel_lines, outlets_of, quiet_of, try_channel
from hub.cli import main
from hub.errors import BadRequestError, SettingError
from hub.jobs import NoticeCounts, NoticesJob
from hub.notices import Notice
from hub.ports import Message
from hub.service import notify
from hub.settings import load_settings
from tests.notices.night import Night
from tests.notices.stand_ins import web_server
from tests.waiting import wait_until


def test_a_provider_that_hangs_holds_up_nobody_else(night: Night) -> None:
    """All workers of the routine chat hang; the alarm's call and its message leave all the same."""
    held, began = threading.Event(), threading.Event()

    def hang(message: Message) -> None:
        if message.lane == "routine":
            began.set()
            held.wait(60)

    night.outlets["sms"].during = hang
    night.outlets["chat"].during = hang
    counts = NoticeCounts(None)
    job = NoticesJob(
        night.services.sending,
        night.services.following,
        workers={"alarm": 4, "routine": 1},
        pump=lambda: 0,
        counts=counts,
    )
    for number in range(5):
        night.ask(Notice(None, "responder:S1", "sms", "service", {"text": f"{number}"}, "routine", until="sent"))
        night.ask(Notice(None, "group:night", "chat", "service", {"text": f"{number}"}, "routine", until="sent"))
    job.start()
    try:
        assert began.wait(30)
        with night.database.begin() as tx:
            for channel in ("sms", "voice"):
                told = Notice(None, "responder:S2", channel, "desk", {"text": "SOS"}, until="sent")  # type: ignore[arg-type]
                notify(tx, told, now=night.now)
        job.wake["alarm"].set()
        wait_until(lambda: len(night.outlets["sms"].sent) + len(night.outlets["voice"].sent) == 2, 30)
        assert night.told_by("chat") == []
    finally:
        held.set()
        job.stop(10)
    wait_until(lambda: night.row("SELECT count(*) AS n FROM notices WHERE claimed_by IS NOT NULL")["n"] == 0, 30)


def settings_of(monkeypatch: pytest.MonkeyPatch, folder: Path, **given: str) -> object:
    monkeypatch.chdir(folder)
    for name, value in given.items():
        monkeypatch.setenv(f"HUB_{name}", value)
    return load_settings()


def test_nothing_is_set_up_by_default_but_webhooks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert list(outlets_of(settings)) == ["webhook"]
    assert all(good for good, _, _ in channel_lines(settings))
    quiet = quiet_of(settings)
    assert quiet is not None
    assert quiet.until(datetime(2026, 11, 22, 15, tzinfo=UTC), "routine") == datetime(2026, 11, 22, 23, tzinfo=UTC)
    with pytest.raises(SettingError, match="HUB_SMS__"):
        try_channel(settings, "sms", "13800000001")
    with pytest.raises(BadRequestError):
        try_channel(settings, "webhook", "x")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"VOICE__PROVIDER": "ari"}, "HUB_VOICE__URL"),
        ({"VOICE__PROVIDER": "ami", "VOICE__URL": "http://pbx", "VOICE__PASSWORD": "x"}, "tcp://"),
        ({"VOICE__PROVIDER": "ari", "VOICE__URL": "http://pbx:8088"}, "HUB_VOICE__PASSWORD: is missing"),
        (
            {
                "VOICE__PROVIDER": "ari",
                "VOICE__URL": "http://pbx",
                "VOICE__PASSWORD": "topsecret",
                "VOICE__CALLBACK_SECRET": "short",
            },
            "HUB_VOICE__CALLBACK_SECRET: must have",
        ),
        ({"SMS__PROVIDER": "aliyun", "SMS__KEY_ID": "a", "SMS__KEY_SECRET": "topsecret"}, "HUB_SMS__SIGN_NAME"),
        ({"SMS__PROVIDER": "generic", "SMS__KEY_SECRET": "topsecret"}, "HUB_SMS__URL"),
        ({"CHAT__GROUPS": "topsecret"}, "HUB_CHAT__GROUPS: expected name=value"),
        ({"NOTIFY__QUIET_FROM": "25:00"}, "HUB_NOTIFY__QUIET_FROM: expected a time of day"),
        ({"NOTIFY__PUBLIC_URL": "hub.example"}, "HUB_NOTIFY__PUBLIC_URL"),
        ({"PUSH__KEY_FILE": "/nowhere.pem"}, "HUB_PUSH__KEY_FILE"),
    ],
)
def test_a_wrong_setting_is_named_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], words: str
) -> None:
    with pytest.raises(SettingError) as raised:
        settings_of(monkeypatch, tmp_path, **given)
    assert words in str(raised.value)
    assert "topsecret" not in str(raised.value)


def test_a_channel_is_looked_at_and_tried_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with web_server() as server:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HUB_SMS__PROVIDER", "generic")
        monkeypatch.setenv("HUB_SMS__URL", server.url)
        monkeypatch.setenv("HUB_SMS__KEY_SECRET", "topsecret")
        done = CliRunner().invoke(main, ["notify", "test", "sms", "13800000001"])
        assert (done.exit_code, done.output.startswith("ok: generic took it")) == (0, True), done.output
        assert "测试" in server.asked[-1].json["text"]
        lines = {what: (good, words) for good, what, words in channel_lines(load_settings())}
        assert lines["channel sms (generic)"][0]
        assert not lines["links"][0]
        server.answer = lambda _asked: (503, {})
        failed = CliRunner().invoke(main, ["notify", "test", "sms", "13800000001"])
        assert failed.exit_code != 0
        assert "topsecret" not in failed.output
        assert not {what: good for good, what, _ in channel_lines(load_settings())}["channel sms (generic)"]


def test_every_channel_is_made_from_its_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for provider, url in (
        ("ari", "http://pbx:8088"),
        ("ami", "tcp://pbx:5038"),
        ("freeswitch", "http://pbx:8080"),
        ("cloud", "https://voice.example"),
    ):
        settings = settings_of(
            monkeypatch, tmp_path, VOICE__PROVIDER=provider, VOICE__URL=url, VOICE__PASSWORD="x" * 16
        )
        assert outlets_of(settings)["voice"].provider == provider  # type: ignore[arg-type]
    for provider in ("aliyun", "tencent"):
        settings = settings_of(
            monkeypatch,
            tmp_path,
            SMS__PROVIDER=provider,
            SMS__KEY_ID="a",
            SMS__KEY_SECRET="b",
            SMS__SIGN_NAME="柳岸",
            SMS__APP_ID="1",
            SMS__TEMPLATES="call_out=SMS_1 test=SMS_2",
            SMS__PARAMS="call_out=place,what,token",
        )
        assert outlets_of(settings)["sms"].provider == provider  # type: ignore[arg-type]


def test_forgotten_notices_go_and_the_timeline_stays(night: Night) -> None:
    offer = night.offered()[0]
    night.call_out(offer, "sms")
    night.turn()
    assert night.services.following.tidy(night.now) == 0
    night.now += timedelta(days=200)
    assert night.services.following.tidy(night.now - timedelta(days=180)) == 1
    assert ("sms", "sent") in night.tries(offer["incident_id"])
