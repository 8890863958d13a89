"""OneNET's encrypted pushes: AES in CBC mode with PKCS#7 padding, the text in base64. Pure.

Two generations are in use, told apart by the key that the platform's console shows:

- 16 characters: AES-128, the characters are the key and the first block's IV; inside is the message;
- 43 characters of base64: AES-256, the first 16 bytes of the key are the IV; inside are 16 random bytes, the message's
  length (u32, big endian) and the message.

Both are what the platform's own receivers do; the signature over the encrypted text is checked before anything is
decrypted.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

__all__ = ["CipherKey", "decipher", "read_key"]

_BLOCK = 16
_LONG_KEY = 43
_HEAD = 20

CipherKey = bytes
"""16 or 32 bytes."""


def read_key(text: str) -> CipherKey:
    """The key as the platform's console shows it. ValueError says what is wrong with it."""
    if len(text) == _BLOCK and text.isascii():
        return text.encode("ascii")
    shortened = text.removesuffix("=")
    if len(shortened) == _LONG_KEY:
        try:
            # Its last character carries four bits only; encoders differ in the two that are left.
            return base64.b64decode(f"{shortened}=", validate=True)
        except (binascii.Error, ValueError):
            pass
    raise ValueError(f"16 characters, or {_LONG_KEY} of base64, were expected, not {len(text)} characters")


def decipher(encrypted: str, key: CipherKey) -> bytes:
    """The message inside. ValueError: it is not what this key has encrypted."""
    try:
        sealed = base64.b64decode(encrypted.replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the encrypted message is not base64") from None
    if not sealed or len(sealed) % _BLOCK:
        raise ValueError(f"the encrypted message has {len(sealed)} bytes: blocks of {_BLOCK} were expected")
    opener = Cipher(algorithms.AES(key), modes.CBC(key[:_BLOCK])).decryptor()
    unpad = PKCS7(_BLOCK * 8).unpadder()
    try:
        plain = unpad.update(opener.update(sealed) + opener.finalize()) + unpad.finalize()
    except ValueError:
        raise ValueError("the message cannot be decrypted: the cipher key is another one") from None
    if plain.lstrip()[:1] in (b"{", b"["):
        return plain
    size = int.from_bytes(plain[_BLOCK:_HEAD], "big")
    if len(plain) < _HEAD or size > len(plain) - _HEAD:
        raise ValueError("the message cannot be decrypted: the cipher key is another one")
    return plain[_HEAD : _HEAD + size]
