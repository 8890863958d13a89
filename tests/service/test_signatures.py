"""Every maker's scheme against vectors computed apart from the hub, with `openssl`, `md5sum` and `sha256sum`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.ports import IntegrationRow, Scheme
from hub.service.deciphering import decipher, read_key
from hub.service.signatures import Push, digest_of, prove, wrong_cipher_key

_NOW = datetime(2026, 11, 22, 7, 18, 24, tzinfo=UTC)
_STAMP = "1795331904"
_TOKEN, _NONCE = "lakeside-token", "Xk3a9QpZ"
_SAID = {
    "messageType": "notify",
    "notifyType": "event",
    "deviceName": "band-7",
    "data": {"params": {"sos": {"value": {}, "time": 1795331900123}}},
}
_SHORT_KEY = "Lk7vQ2mZx9TbR4wE"
_SHORT = (
    "QETZT8atJSjDuiHm9ky4/FphyNrf9ONa0jq5p8vT4WqmDPaZz9v4EhDa0eYiQDLvuNgOf7fUaEW8ov1qfa1XrwtEQ+IFmji6G2z1KvWAGIu6"
    "vj7+T6n4wSfBhwmCRmG7aN0gStH7c1v9wLGxvBT3yMWdGtSdNRVA1EcBjdsavWM="
)
_LONG_KEY = "Y2FyZSBodWIgZXhhbXBsZSBrZXkgb2YgMzIgYnl0ZXM"
_LONG = (
    "wKZs/KW1lN4Fj1xMRIuaP+AdIObTZwUeh1sNC9d9SA0H24SQhhlyAvY9shJslO3iRNLh1FrZB9SaGZ1LukEazyAjarHRJ2003eBvAFEz6IbO"
    "Gv5Ck3K/KzPiASH77tJUDct+WUghjOw98RNjWRMpGO4zmXBIpewlTmkVdHsl21zjuyRzmSRqdyAsQXoIFM/8DKTXYgTAyT9+70hFgPCNTw=="
)


def _from(scheme: Scheme, secret: str, cipher_key: str | None = None) -> IntegrationRow:
    return IntegrationRow("maker", "onenet", scheme, _NOW, secret=secret, cipher_key=cipher_key)


def _push(body: bytes = b"", *, method: str = "POST", query: str = "", **headers: str) -> Push:
    fields = dict(part.split("=", 1) for part in query.split("&") if part)
    return Push(
        method, "onenet", fields, {name.replace("_", "-"): text for name, text in headers.items()}, body, _NOW, query
    )


# --- OneNET -----------------------------------------------------------------------------------------------------------


def test_onenet_address_check() -> None:
    push = _push(method="GET", query=f"msg=check-5e1&nonce={_NONCE}&signature=HDHAzdCDBlyh2WBjlvyUGQ==")
    assert prove(push, _from("onenet", _TOKEN)).reason is None
    assert prove(push, _from("onenet", "another-token")).reason == "the signature is wrong"
    # With an encrypted mode the check itself stays plain.
    assert prove(push, _from("onenet", _TOKEN, _SHORT_KEY)).reason is None


@pytest.mark.parametrize(
    ("key", "field", "signed_as", "encrypted", "signature"),
    [
        (_SHORT_KEY, "msg", "signature", _SHORT, "rHJ+6XeZrztDChckLrVwCA=="),
        (_LONG_KEY, "enc_msg", "msg_signature", _LONG, "NI72PhffJ9/2P0NaMqO/Kg=="),
    ],
    ids=["16-character key", "43-character key"],
)
def test_onenet_encrypted(key: str, field: str, signed_as: str, encrypted: str, signature: str) -> None:
    body = json.dumps({field: encrypted, "nonce": _NONCE, signed_as: signature}).encode()
    proof = prove(_push(body), _from("onenet", _TOKEN, key))
    assert proof.reason is None
    assert proof.body is not None
    assert json.loads(proof.body) == _SAID
    assert proof.replay_key is not None
    assert "cipher key" in (prove(_push(body), _from("onenet", _TOKEN)).reason or "")
    other = key[:-2] + ("Ab" if len(key) == 16 else "cA")
    assert prove(_push(body), _from("onenet", _TOKEN, other)).reason is not None
    forged = json.dumps({field: encrypted[4:], "nonce": _NONCE, signed_as: signature}).encode()
    assert prove(_push(forged), _from("onenet", _TOKEN, key)).reason == "the signature is wrong"


def test_what_is_not_encrypted_with_this_key_is_an_error_that_says_so() -> None:
    for wrong in ("", "***", "QUJD", _SHORT[4:], _SHORT[:-24], "A" * 64):
        with pytest.raises(ValueError, match=r"encrypted|decrypted"):
            decipher(wrong, read_key(_SHORT_KEY))


def test_cipher_keys() -> None:
    assert len(read_key(_LONG_KEY)) == len(read_key(f"{_LONG_KEY}=")) == 32
    assert wrong_cipher_key("onenet", _SHORT_KEY) is None
    assert "16 characters" in (wrong_cipher_key("onenet", "short") or "")
    assert "16 characters" in (wrong_cipher_key("onenet", "钥" * 16) or "")
    assert "16 characters" in (wrong_cipher_key("onenet", "*" * 43) or "")
    assert "never encrypted" in (wrong_cipher_key("huawei", _SHORT_KEY) or "")


# --- headers ----------------------------------------------------------------------------------------------------------


def test_huawei() -> None:
    sent = _push(
        timestamp=f"{_STAMP}000",
        nonce="b7e",
        signature="9bab7808fb19fe05543290d11a06545dba73f70b74bc1d4beec07cb75bae7934",
    )
    assert prove(sent, _from("huawei", "lakeside")).reason is None
    assert prove(sent, _from("huawei", "lakeside2")).reason == "the signature is wrong"
    late = replace(sent, received_at=_NOW + timedelta(minutes=6))
    assert "five minutes" in (prove(late, _from("huawei", "lakeside")).reason or "")


@pytest.mark.parametrize("sign", ["da7fa0971b437d2b71e5fa815c3b9653", "11BDCC8F24CF55D5210ECAFD6EF002C6"])
def test_aqara(sign: str) -> None:
    headers = {"token": "Tok5", "time": f"{_STAMP}000", "nonce": "nQ81", "sign": sign, "appkey": "Ab3Kq9"}
    known = _from("aqara", "Ab3Kq9")
    proof = prove(_push(**headers), known)
    assert (proof.reason, proof.replay_key is None) == (None, False)
    # The key in the request's own header proves nothing: the one that was agreed on is what is signed with.
    assert prove(_push(**headers), _from("aqara", "Xy0000")).reason == "the signature is wrong"
    for name, other in (("token", "Tok6"), ("nonce", "nQ82"), ("time", "1795331904001")):
        assert prove(_push(**{**headers, name: other}), known).reason == "the signature is wrong", name
        assert "are needed" in (prove(_push(**{**headers, name: ""}), known).reason or ""), name
    late = replace(_push(**headers), received_at=_NOW + timedelta(minutes=6))
    assert "five minutes" in (prove(late, known).reason or "")


def test_hmac() -> None:
    headers = {
        "x_hub_timestamp": _STAMP,
        "x_hub_nonce": "abcdefgh",
        "x_hub_signature": "sha256=342a99fe1ee55629b7b2b6f91936acbdc6aad699c4413cc68d5ac4b7f7baf86b",
    }
    query = "device=W1&channel=alarm"
    assert prove(_push(b'{"ref":"1"}', query=query, **headers), _from("hmac", "s3cret-of-the-maker")).reason is None
    assert prove(_push(b'{"ref":"2"}', query=query, **headers), _from("hmac", "s3cret-of-the-maker")).reason is not None


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("bearer", {"authorization": "Bearer 0123456789abcdef"}, ""),
        ("basic", {"authorization": "Basic bWFrZXI6MDEyMzQ1Njc4OWFiY2RlZg=="}, ""),
        ("key", {}, "key=0123456789abcdef"),
    ],
)
def test_secrets_that_are_sent_along(scheme: Scheme, headers: dict[str, str], query: str) -> None:
    row = IntegrationRow("maker", "care", scheme, _NOW, secret_digest=digest_of("0123456789abcdef"))
    assert prove(_push(query=query, **headers), row).reason is None
    assert prove(_push(), row).reason is not None
    assert prove(_push(query=query, **headers), replace(row, secret_digest=digest_of("other"))).reason is not None
    assert prove(_push(query=query, **headers), replace(row, secret_digest=None)).reason is not None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"msg": 1}', b'{"msg": "\\ud800", "nonce": "n", "signature": "s"}', b"\xff" * 40]
)
@pytest.mark.parametrize("scheme", ["onenet", "huawei", "aqara", "hmac"])
def test_nonsense_is_refused_and_never_raises(scheme: Scheme, body: bytes) -> None:
    odd = {"token": "\ud800", "time": "x", "timestamp": "x", "nonce": "\udfff" * 9, "sign": "é", "signature": "é"}
    odd |= {"x-hub-timestamp": "x", "x-hub-nonce": "\udfff" * 9, "x-hub-signature": "é"}
    for headers in ({}, odd):
        push = Push("POST", "onenet", {}, headers, body, _NOW)
        assert prove(push, _from(scheme, "secret", _SHORT_KEY if scheme == "onenet" else None)).reason is not None
