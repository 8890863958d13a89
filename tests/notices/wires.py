"""What the tests of the wires send, and what they expect of a refusal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.ports import Message, Outlet, SendFailedError

__all__ = ["MESSAGE", "NOW", "refused"]

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MESSAGE = Message(
    key="018f2d3e-0000-7000-8000-000000000001",
    channel="voice",
    lane="alarm",
    template="call_out",
    language="zh",
    address="+86 138-0000-0001",
    expires_at=NOW + timedelta(minutes=30),
    now=NOW,
    title="紧急任务",
    short="【柳岸】紧急：第3网格，紧急呼救。",
    spoken="这里是柳岸值班台。\n第3网格，紧急呼救。接受请按1。",
    full="**紧急任务** 第3网格",
    values={"what": "紧急呼救", "place": "第3网格", "site": "柳岸"},
    link="https://hub.example/t/abcdefghijklmnopqrstuvwxyz012345",
    answer_url="https://hub.example/api/v1/voice/tokentokentokentoken",
)


def refused(outlet: Outlet, message: Message = MESSAGE) -> SendFailedError:
    with pytest.raises(SendFailedError) as raised:
        outlet.send(message)
    return raised.value
