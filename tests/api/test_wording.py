"""Refusals in the reader's language: what Chinese pages show in Chinese, English ones in English, programs as ever."""

from __future__ import annotations

import asyncio
import base64
from uuid import uuid4

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Receive, Scope, Send

from hub.api.frame import Frame
from tests.api.desk import Desk, Json

P = "/api/v1"
ZH, EN = {"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8"}, {"Accept-Language": "en"}


def said(answer: httpx.Response, status: int, language: str | None) -> str:
    body: Json = answer.json()
    assert (answer.status_code, body["status"]) == (status, status), answer.text
    assert answer.headers.get("content-language") == language
    assert "Accept-Language" in answer.headers["vary"]
    detail: str = body["detail"]
    return detail


def test_a_claim_lost_and_a_close_refused(shared: Desk) -> None:
    first, second = shared.seat("zhoumin"), shared.seat("liqiang")
    base = f"{P}/incidents/{shared.incident()}"
    assert first.post(f"{base}/acknowledge", json={}).status_code == 200
    lost = {name: second.post(f"{base}/acknowledge", json={}, headers=head) for name, head in (("zh", ZH), ("en", EN))}
    assert said(lost["en"], 409, "en") == "somebody else has claimed it"
    assert said(lost["zh"], 409, "zh-CN") == "已由他人受理"
    assert (lost["zh"].json()["title"], lost["en"].json()["title"]) == ("当前状态不允许", "Conflict")
    plain = second.post(f"{base}/acknowledge", json={})
    assert said(plain, 409, None) == lost["en"].json()["detail"], "a program reads what it always did"
    same = ("type", "status", "instance", "by", "at", "state")
    assert [{name: one.json()[name] for name in same} for one in lost.values()] == [
        {name: plain.json()[name] for name in same}
    ] * 2, "only the words differ"

    refused = first.post(f"{base}/close", json={"disposition": "genuine", "summary": ""}, headers=ZH)
    assert said(refused, 422, "zh-CN") == "摘要 不能为空"
    refused = first.post(f"{base}/close", json={"disposition": "genuine", "summary": 7, "x": 1}, headers=ZH)
    assert said(refused, 422, "zh-CN") == "摘要：应为文字（另有 1 处）"
    assert [one["detail"] for one in refused.json()["errors"]] == ["应为文字", "没有这个字段"]
    ended = {"disposition": "genuine", "summary": "已处理"}
    assert first.post(f"{base}/close", json=ended).status_code == 200
    again = first.post(f"{base}/close", json=ended, headers=ZH)
    assert said(again, 409, "zh-CN").startswith("不能关闭：告警状态为")


def test_what_is_not_there_and_what_one_may_not(shared: Desk) -> None:
    boss, operator = shared.seat("boss"), shared.seat("zhoumin")
    ident = uuid4()
    assert said(boss.get(f"{P}/incidents/{ident}", headers=ZH), 404, "zh-CN") == f"没有告警 {ident}"
    assert said(boss.get(f"{P}/nothing", headers=ZH), 404, "zh-CN") == f"{P}/nothing 处没有内容"
    assert (
        operator.post(f"{P}/residents", json={"id": "N1", "name": "何桂英"}, headers=ZH).json()["title"] == "没有权限"
    )
    assert said(shared.anonymous().get(f"{P}/incidents", headers=ZH), 401, "zh-CN")
    account = {"username": "zhoumin", "name": "周敏", "role": "operator", "password": "correct horse battery"}
    taken = boss.post(f"{P}/users", json=account, headers=ZH)
    assert "zhoumin" in said(taken, 409, "zh-CN")


def test_faults_of_a_file_row_by_row(shared: Desk) -> None:
    text = "编号,姓名,出生日期\nN7,何桂英,13 月\n,王强,1944-05-01\n"
    file = {"name": "老人.csv", "content": base64.b64encode(text.encode()).decode()}
    path = f"{P}/registers/residents/preview"
    coordinator = shared.seat("coord")
    found = {name: coordinator.post(path, json=file, headers=head).json() for name, head in (("zh", ZH), ("en", EN))}
    assert [one["reason"] for one in found["zh"]["bad"]] == [
        "出生日期：“13 月”不是日期（如 1944-05-01）",
        "编号：缺失，必须填写",
    ]
    assert "is not a day" in found["en"]["bad"][0]["reason"]


@pytest.mark.parametrize(("header", "begins"), [(b"zh", "系统内部出错"), (b"en", "something went wrong here")])
def test_what_nobody_foresaw_is_a_plain_sentence_with_the_number_of_the_request(header: bytes, begins: str) -> None:
    async def breaks(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("unforeseen")

    async def ask() -> httpx.Response:
        frame = Frame(breaks, registry=CollectorRegistry(), new_id=lambda: "request-7")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(frame), base_url="http://hub") as client:
            return await client.get("/", headers=[(b"Accept-Language", header)])

    answer = asyncio.run(ask())
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith(begins)
    assert "request-7" in answer.json()["detail"]
    assert answer.json()["request_id"] == "request-7"
