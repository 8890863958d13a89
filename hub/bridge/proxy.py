"""The header a balancer puts before a connection: PROXY protocol version 2. Without it every device has its address."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address

__all__ = ["read_proxy_header"]

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_LONGEST = 2048


async def read_proxy_header(reader: asyncio.StreamReader) -> tuple[str, int] | None:
    """Takes the header off the stream; gives the device's address and port, None for the balancer's own check.

    ValueError: what came is no such header. IncompleteReadError: the stream ended before it was whole.
    """
    head = await reader.readexactly(16)
    if head[:12] != _SIGNATURE:
        raise ValueError("no PROXY protocol version 2 header")
    size = int.from_bytes(head[14:16], "big")
    if size > _LONGEST:
        raise ValueError(f"a PROXY header of {size} bytes")
    body = await reader.readexactly(size)
    if head[12] == _LOCAL:
        return None
    if head[12] != _PROXY:
        raise ValueError(f"PROXY version and command {head[12]:#x}")
    if head[13] == _TCP4 and size >= 12:
        return str(IPv4Address(body[:4])), int.from_bytes(body[8:10], "big")
    if head[13] == _TCP6 and size >= 36:
        return str(IPv6Address(body[:16])), int.from_bytes(body[32:34], "big")
    raise ValueError(f"PROXY address family {head[13]:#x}")
