"""Chat groups, mail, webhooks and push, each against a stand-in that speaks the same wire and checks what it gets."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.clock import utc_now
from hub.notify import (
    PushOutlet,
    VapidKey,
    WebhookOutlet,
    signed_headers,
    verified,
)
from hub.notify.chat import ChatGroups, Mail
from hub.notify.push import encrypted
from hub.ports import PushTarget
from tests.notices.stand_ins import Asked, mail_server, web_server
from tests.notices.wires import MESSAGE, refused

# apprise looks for a module that left Python's library.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

# --- chat, mail


def test_robots_refusals_are_not_taken_for_success() -> None:
    code: dict[str, Any] = {}

    def answer(asked: Asked) -> tuple[int, Any]:
        return 200, code.get(asked.path, {"errcode": 0, "code": 0, "errmsg": "ok"})

    with web_server(answer) as server:
        hosts = dict.fromkeys(("wecombot", "dingtalk", "feishu"), server.url)
        groups = {
            "night": "wecombot://abcdefgh-1111-2222-3333-444444444444",
            "day": "dingtalk://SEC0123456789@tokenabc/",
            "grid3": "feishu://tokendef",
        }
        outlet = ChatGroups(groups, hosts)
        message = replace(MESSAGE, channel="chat")
        for name in groups:
            outlet.send(replace(message, address=name))
        wecom, dingtalk, feishu = server.asked
        assert wecom.query == {"key": "abcdefgh-1111-2222-3333-444444444444"}
        assert wecom.json == {"msgtype": "text", "text": {"content": "紧急任务 第3网格"}}
        signed = hmac.new(
            b"SEC0123456789", f"{dingtalk.query['timestamp']}\nSEC0123456789".encode(), hashlib.sha256
        ).digest()
        assert dingtalk.query["access_token"] == "tokenabc"
        assert base64.b64decode(dingtalk.query["sign"]) == signed
        assert feishu.path == "/open-apis/bot/v2/hook/tokendef"
        code["/cgi-bin/webhook/send"] = {"errcode": 45009, "errmsg": "api freq out of limit"}
        full = refused(outlet, replace(message, address="night"))
        assert (full.final, full.after_s) == (False, 60.0)
        code["/cgi-bin/webhook/send"] = {"errcode": 93000, "errmsg": "invalid webhook url"}
        assert refused(outlet, replace(message, address="night")).final
        code["/robot/send"] = {"errcode": 130101, "errmsg": "send too fast"}
        assert refused(outlet, replace(message, address="day")).after_s == 600.0
        assert refused(outlet, replace(message, address="nobody")).final
        rule = outlet.rule("night")
        assert rule is not None
        assert rule.most == 20
    with pytest.raises(ValueError, match="bad: is no address") as raised:
        ChatGroups({"bad": "nonsense://topsecret"})
    assert "topsecret" not in str(raised.value)


def test_other_chat_services_go_by_apprise() -> None:
    with web_server() as server:
        outlet = ChatGroups({"ops": server.url.replace("http://", "json://") + "/hook"})
        outlet.send(replace(MESSAGE, channel="chat", address="ops"))
        assert "第3网格" in server.asked[-1].json["message"]
        server.answer = lambda _asked: (500, {})
        assert not refused(outlet, replace(MESSAGE, address="ops")).final


def test_mail() -> None:
    with mail_server() as (port, letters):
        outlet = Mail(f"mailto://127.0.0.1:{port}/?from=desk@example.org&mode=insecure")
        outlet.send(replace(MESSAGE, channel="mail", address="chen@example.org"))
        letter = message_from_string(letters[0])
        assert letter["To"] == "chen@example.org"
        assert str(make_header(decode_header(letter["Subject"]))) == "紧急任务"
        assert refused(outlet, replace(MESSAGE, address="no address, really")).final
    assert not refused(outlet, replace(MESSAGE, address="chen@example.org")).final


# --- webhooks, push


def test_webhooks_are_signed_by_every_secret_in_force_and_follow_no_redirect() -> None:
    message = replace(MESSAGE, channel="webhook", body=b'{"event":"test"}', event="test", secrets=("whsec_bmV3", "old"))
    with web_server() as server:
        message = replace(message, address=server.url + "/hook")
        outlet = WebhookOutlet()
        outlet.send(message)
        asked = server.asked[-1]
        assert asked.headers["webhook-event"] == "test"
        for secret in ("whsec_bmV3", "old"):
            assert verified(secret, asked.headers, asked.body, utc_now())
        assert not verified("other", asked.headers, asked.body, utc_now())
        assert not verified("old", asked.headers, asked.body + b" ", utc_now())
        assert not verified("old", asked.headers, asked.body, utc_now() + timedelta(minutes=6))
        server.headers = {"location": server.url + "/elsewhere"}
        server.answer = lambda _asked: (302, {})
        assert not refused(outlet, message).final
        assert server.asked[-1].path == "/hook"
        server.answer = lambda _asked: (410, {})
        assert refused(outlet, message).final


def test_the_signature_is_the_one_of_the_standard() -> None:
    """The example of the Standard Webhooks specification's own libraries."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    at = datetime.fromtimestamp(1614265330, UTC)
    assert verified("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, b'{"test": 2432232314}', at)
    made = signed_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], headers["webhook-id"], b'{"test": 2432232314}', at
    )
    assert made["webhook-signature"] == headers["webhook-signature"]


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_push_content_is_the_one_of_the_rfc() -> None:
    """RFC 8291, appendix A."""
    secret = int.from_bytes(_raw("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
    found = encrypted(
        b"When I grow up, I want to be a watermelon",
        _raw("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        _raw("BTBZMqHH6r4Tts7J_aSIgg"),
        sender=ec.derive_private_key(secret, ec.SECP256R1()),
        salt=_raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert found == _raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_push(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "vapid.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    vapid = VapidKey.of_file(path, "mailto:desk@example.org")
    browser, auth = ec.generate_private_key(ec.SECP256R1()), b"a" * 16
    public = browser.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )

    def answer(asked: Asked) -> tuple[int, Any]:
        return (410, "") if asked.path == "/gone" else (201, "")

    with web_server(answer) as server:
        targets = (
            PushTarget("p1", server.url + "/x", public, auth),
            PushTarget("p2", server.url + "/gone", public, auth),
        )
        outlet = PushOutlet(vapid)
        sent = outlet.send(replace(MESSAGE, channel="push", pushes=targets))
        assert sent.gone == ("p2",)
        asked = server.asked[0]
        assert (asked.headers["content-encoding"], asked.headers["urgency"]) == ("aes128gcm", "high")
        shown = json.loads(_opened(asked.body, browser, auth))
        assert shown["body"] == MESSAGE.short
        assert "陈秀英" not in json.dumps(shown, ensure_ascii=False)
        token = asked.headers["authorization"].removeprefix("vapid t=").partition(",")[0]
        head, claims, signed = token.split(".")
        raw = _raw(signed)
        signature = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key.public_key().verify(signature, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
        assert json.loads(_raw(claims))["aud"] == server.url
        gone = refused(outlet, replace(MESSAGE, pushes=targets[1:]))
        assert (gone.final, gone.gone) == (True, ("p2",))
    path.write_text("nonsense")
    with pytest.raises(ValueError, match="no private key"):
        VapidKey.of_file(path, "mailto:a@b.c")


def _opened(body: bytes, browser: ec.EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What the browser makes of it, written from the RFC."""
    salt, length = body[:16], body[20]
    sender = body[21 : 21 + length]
    public = browser.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    shared = browser.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))

    def hkdf(salt: bytes, key: bytes, info: bytes, length: int) -> bytes:
        pseudo = hmac.new(salt, key, hashlib.sha256).digest()
        return hmac.new(pseudo, info + b"\x01", hashlib.sha256).digest()[:length]

    secret = hkdf(auth, shared, b"WebPush: info\x00" + public + sender, 32)
    key = hkdf(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = hkdf(salt, secret, b"Content-Encoding: nonce\x00", 12)
    return AESGCM(key).decrypt(nonce, body[21 + length :], None).rstrip(b"\x00")[:-1]
