"""Telephone and short messages, each against a stand-in that speaks the same wire and checks what it is given."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest

from hub.clock import utc_now
from hub.notify import (
    AliyunSms,
    AmiVoice,
    AriVoice,
    CloudVoice,
    FreeswitchVoice,
    GenericSms,
    SmsPlan,
    TencentSms,
    VoicePlan,
    calls_a_minute,
    verified,
)
from hub.notify.ami import packet_bytes
from hub.notify.sms_aliyun import acs3_headers
from hub.notify.sms_tencent import tc3_headers
from hub.ports import SendFailedError
from tests.notices.stand_ins import Asked, manager_server, web_server
from tests.notices.wires import MESSAGE, refused
from tests.waiting import wait_until

# apprise looks for a module that left Python's library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PLAN = VoicePlan("PJSIP/{number}@trunk", "care-hub", "05531234567", "9", calls_a_minute(30), "gateway-secret-16")


# --- telephone


def test_asterisk_rest_interface() -> None:
    ringing: dict[str, str] = {}

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.headers.get("authorization") != "Basic " + base64.b64encode(b"care:pass").decode():
            return 401, {"message": "Authentication required"}
        channel = asked.path.removeprefix("/ari/channels/")
        if asked.path == "/ari/asterisk/info":
            return 200, {"system": {"version": "22.1.0"}}
        if asked.method == "POST":
            ident = asked.query["channelId"]
            if ident in ringing:
                return 409, {"message": "Channel with given unique ID already exists"}
            ringing[ident] = "Ringing"
            return 200, {"id": ident, "state": "Down"}
        if channel not in ringing:
            return 404, {"message": "Channel not found"}
        if asked.method == "DELETE":
            del ringing[channel]
            return 204, ""
        return 200, {"id": channel, "state": ringing[channel]}

    with web_server(answer) as server:
        outlet = AriVoice(server.url, "care", "pass", PLAN)
        assert outlet.check() == "Asterisk 22.1.0 answers"
        sent = outlet.send(MESSAGE)
        assert sent.ref is not None
        asked = server.asked[-1]
        assert asked.query["endpoint"] == "PJSIP/913800000001@trunk"
        assert (asked.query["context"], asked.query["extension"], asked.query["timeout"]) == ("care-hub", "s", "40")
        variables = asked.json["variables"]
        assert variables["CARE_URL"] == MESSAGE.answer_url
        assert variables["CARE_SECRET"] == "gateway-secret-16"
        assert "\n" not in variables["CARE_TEXT"]
        assert variables["CARE_TEXT"].endswith("接受请按1。")
        # The same call again rings once.
        assert outlet.send(MESSAGE).note == "the gateway had it already"
        assert len(ringing) == 1
        assert outlet.look(sent.ref) is None
        ringing[sent.ref] = "Up"
        assert outlet.look(sent.ref) == "answered"
        outlet.hang_up(sent.ref)
        outlet.hang_up(sent.ref)
        assert ringing == {}
        assert outlet.look(sent.ref) == "no_answer"
        wrong = refused(AriVoice(server.url, "care", "nonsense", PLAN))
        assert "password" in wrong.detail
        assert not wrong.final
    gone = refused(outlet)
    assert not gone.final
    assert "1380" not in gone.detail


def test_asterisk_manager_interface() -> None:
    with manager_server() as server:
        server.fate = {"913800000001": 3, "913800000002": 5, "913800000003": 4, "913800000004": 8}
        outlet = AmiVoice(f"tcp://127.0.0.1:{server.port}", "care", "pass", PLAN)
        assert "Asterisk Call Manager/9.0.0" in outlet.check()
        for number, outcome in ((1, "no_answer"), (2, "busy"), (3, "answered"), (4, "failed")):
            message = replace(MESSAGE, key=f"key-{number}", address=f"1380000000{number}")
            ref = outlet.send(message).ref
            assert ref is not None
            wait_until(lambda ref=ref: outlet.look(ref) is not None, 30)
            assert outlet.look(ref) == outcome
        originate = server.actions[-1]
        assert originate["Async"] == ["true"]
        assert originate["Timeout"] == ["40000"]
        assert f"CARE_URL={MESSAGE.answer_url}" in originate["Variable"]
        # One that rings is refused a second time, and hung up by its channel.
        message = replace(MESSAGE, key="key-9", address="13800000009")
        ref = outlet.send(message).ref
        assert ref is not None
        assert outlet.send(message).note == "the gateway had it already"
        assert outlet.look(ref) is None
        wait_until(lambda: f"PJSIP/trunk-{ref}" in server.channels, 30)
        outlet.hang_up(ref)
        assert f"PJSIP/trunk-{ref}" not in server.channels
        # The gateway restarts: the connection is made anew.
        server.drop()
        wait_until(lambda: not outlet._connection or not outlet._connection.alive, 30)
        assert outlet.send(replace(message, key="key-10")).ref == "care-key-10"
        assert server.connections == 2
        outlet.close()
        with pytest.raises(SendFailedError, match="refuses the user name"):
            AmiVoice(f"tcp://127.0.0.1:{server.port}", "care", "wrong", PLAN).check()
    with pytest.raises(SendFailedError, match="cannot be reached"):
        AmiVoice(f"tcp://127.0.0.1:{server.port}", "care", "pass", PLAN).check()


def test_a_value_cannot_begin_another_line_of_the_manager_interface() -> None:
    with pytest.raises(ValueError, match="line end"):
        packet_bytes({"Action": "Originate", "CallerID": "1\r\nAction: Command"})
    with pytest.raises(ValueError, match="line end"):
        packet_bytes({"Action": "Originate"}, {"CARE_TEXT": "a\nb"})


def test_freeswitch() -> None:
    calls: dict[str, str] = {}

    def answer(asked: Asked) -> tuple[int, Any]:
        command = asked.path.removeprefix("/webapi/")
        words = unquote("".join(asked.query.keys())) if asked.query else ""
        raw = words or ""
        if command == "status":
            return 200, "UP 0 years, 0 days"
        if command == "bgapi":
            ident = raw.partition("origination_uuid='")[2].partition("'")[0]
            calls[ident] = raw
            return 200, "+OK Job-UUID: 1"
        ident = raw.split(" ")[0]
        if command == "uuid_exists":
            return 200, "true" if ident in calls else "false"
        if command == "uuid_getvar":
            return 200, "0"
        calls.pop(ident, None)
        return 200, "+OK"

    with web_server(answer) as server:
        outlet = FreeswitchVoice(server.url, "freeswitch", "works", replace(PLAN, endpoint="sofia/gateway/gw/{number}"))
        assert outlet.check() == "FreeSWITCH answers"
        ref = outlet.send(MESSAGE).ref
        assert ref == MESSAGE.key
        raw = calls[MESSAGE.key]
        assert "sofia/gateway/gw/913800000001 s XML care-hub" in raw
        assert f"care_url='{MESSAGE.answer_url}'" in raw
        assert outlet.send(MESSAGE).note == "the gateway had it already"
        assert outlet.look(ref) is None
        outlet.hang_up(ref)
        assert outlet.look(ref) == "no_answer"


def test_cloud_voice_is_signed() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path == "/health":
            return 200, {}
        if not verified("cloud-secret", asked.headers, asked.body, utc_now()):
            return 401, {}
        return (202, {"call_id": "c-1"}) if asked.method == "POST" else (204, "")

    with web_server(answer) as server:
        outlet = CloudVoice(server.url, "cloud-secret", PLAN)
        assert "200" in outlet.check()
        assert outlet.send(MESSAGE).ref == "c-1"
        body = server.asked[-1].json
        assert (body["number"], body["id"], body["answer_url"]) == ("913800000001", MESSAGE.key, MESSAGE.answer_url)
        outlet.hang_up("c-1")
        assert "401" in refused(CloudVoice(server.url, "another", PLAN)).detail


# --- short messages

SMS = SmsPlan(
    url="",
    key_id="AKID",
    secret="SECRET",
    sign_name="柳岸社区",
    app_id="1400000000",
    templates={"call_out": "SMS_1", "test": "SMS_2"},
    params={"call_out": ("place", "what", "token")},
)


def test_aliyun_signature_is_the_one_of_its_documentation() -> None:
    """The fixed example of the page "V3 request body and signature": its key, nonce, date and result."""
    query = {
        "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        "RegionId": "cn-shanghai",
    }
    text, headers = acs3_headers(
        "YourAccessKeyId",
        "YourAccessKeySecret",
        "ecs.cn-shanghai.aliyuncs.com",
        "RunInstances",
        query,
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
        version="2014-05-26",
    )
    assert text == "&".join(f"{name}={quote(value, safe='-_.~')}" for name, value in query.items())
    assert headers["authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_aliyun() -> None:
    code = {"now": "OK"}

    def answer(asked: Asked) -> tuple[int, Any]:
        hashed = hashlib.sha256(asked.body).hexdigest()
        names = asked.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        lines = "".join(f"{name}:{asked.headers[name]}\n" for name in names.split(";"))
        query = "&".join(
            f"{quote(name, safe='-_.~')}={quote(asked.query[name], safe='-_.~')}" for name in sorted(asked.query)
        )
        canonical = f"POST\n/\n{query}\n{lines}\n{names}\n{hashed}"
        wanted = hmac.new(
            b"SECRET", b"ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest().encode(), "sha256"
        ).hexdigest()
        if not asked.headers["authorization"].endswith(f"Signature={wanted}"):
            return 403, {"Code": "SignatureDoesNotMatch"}
        return 200, {"Code": code["now"], "Message": "m", "BizId": "b-1", "RequestId": "r"}

    with web_server(answer) as server:
        outlet = AliyunSms(replace(SMS, url=server.url))
        assert outlet.send(MESSAGE).ref == "b-1"
        query = server.asked[-1].query
        assert query["PhoneNumbers"] == "13800000001"
        assert (query["SignName"], query["TemplateCode"], query["OutId"]) == ("柳岸社区", "SMS_1", MESSAGE.key)
        assert json.loads(query["TemplateParam"]) == {
            "place": "第3网格",
            "what": "紧急呼救",
            "token": "abcdefghijklmnopqrstuvwxyz012345",
        }
        assert "柳岸社区" in outlet.check()
        code["now"] = "isv.BUSINESS_LIMIT_CONTROL"
        busy = refused(outlet)
        assert (busy.final, busy.after_s) == (False, 60.0)
        code["now"] = "isv.MOBILE_NUMBER_ILLEGAL"
        assert refused(outlet).final
        assert refused(outlet, replace(MESSAGE, template="unclaimed")).final
        assert "key is wrong" in refused(AliyunSms(replace(SMS, url=server.url, secret="OTHER"))).detail


def test_tencent() -> None:
    status = {"now": "Ok"}

    def answer(asked: Asked) -> tuple[int, Any]:
        at = datetime.fromtimestamp(int(asked.headers["x-tc-timestamp"]), UTC)
        wanted = tc3_headers(
            "AKID",
            "SECRET",
            asked.headers["host"],
            asked.headers["x-tc-action"],
            asked.body,
            region="ap-guangzhou",
            at=at,
        )
        if asked.headers["authorization"] != wanted["authorization"]:
            return 200, {"Response": {"Error": {"Code": "AuthFailure.SignatureFailure", "Message": "no"}}}
        one = {"Code": status["now"], "Message": "m", "SerialNo": "s-1"}
        return 200, {"Response": {"SendStatusSet": [one], "RequestId": "r"}}

    with web_server(answer) as server:
        outlet = TencentSms(replace(SMS, url=server.url))
        assert outlet.send(MESSAGE).ref == "s-1"
        body = server.asked[-1].json
        assert body["PhoneNumberSet"] == ["+8613800000001"]
        assert body["TemplateParamSet"] == ["第3网格", "紧急呼救", "abcdefghijklmnopqrstuvwxyz012345"]
        assert body["SessionContext"] == MESSAGE.key
        assert outlet.check()
        status["now"] = "LimitExceeded.PhoneNumberThirtySecondLimit"
        assert not refused(outlet).final
        status["now"] = "FailedOperation.PhoneNumberInBlacklist"
        assert refused(outlet).final
        assert "AuthFailure" in refused(TencentSms(replace(SMS, url=server.url, secret="OTHER"))).detail


def test_tencent_signature_step_by_step() -> None:
    """The scheme written down a second time, from its description, not from the code."""
    at, body = datetime(2026, 2, 25, 12, 0, tzinfo=UTC), b"{}"
    found = tc3_headers("ID", "KEY", "sms.tencentcloudapi.com", "SendSms", body, region="", at=at)

    def mac(key: bytes, text: str) -> bytes:
        return hmac.new(key, text.encode(), hashlib.sha256).digest()

    request = "\n".join(
        [
            "POST",
            "/",
            "",
            "content-type:application/json; charset=utf-8",
            "host:sms.tencentcloudapi.com",
            "x-tc-action:sendsms",
            "",
            "content-type;host;x-tc-action",
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = "2026-02-25/sms/tc3_request"
    text = f"TC3-HMAC-SHA256\n{int(at.timestamp())}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = mac(mac(mac(b"TC3KEY", "2026-02-25"), "sms"), "tc3_request")
    assert found["authorization"] == (
        f"TC3-HMAC-SHA256 Credential=ID/{scope}, SignedHeaders=content-type;host;x-tc-action, "
        f"Signature={mac(key, text).hex()}"
    )


def test_generic_short_messages_are_signed() -> None:
    def answer(asked: Asked) -> tuple[int, Any]:
        good = asked.method == "GET" or verified("SECRET", asked.headers, asked.body, utc_now())
        return (200 if good else 401), {}

    with web_server(answer) as server:
        outlet = GenericSms(replace(SMS, url=server.url + "/sms"))
        outlet.send(MESSAGE)
        body = server.asked[-1].json
        assert (body["number"], body["text"], body["id"]) == ("13800000001", MESSAGE.short, MESSAGE.key)
        assert outlet.check()
        server.headers = {"retry-after": "7"}
        server.answer = lambda _asked: (429, {})
        assert refused(outlet).after_s == 7.0
        server.answer = lambda _asked: (400, {})
        assert refused(outlet).final


def test_a_provider_that_hangs_is_left() -> None:
    held = threading.Event()

    def answer(_asked: Asked) -> tuple[int, Any]:
        held.wait(30)
        return 200, {}

    with web_server(answer) as server:
        outlet = GenericSms(replace(SMS, url=server.url))
        outlet._caller._client.timeout = 0.2
        assert "in time" in refused(outlet).detail
        held.set()
