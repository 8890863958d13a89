"""The web server: uvicorn, told to end open streams before it waits for them."""

from __future__ import annotations

import socket

import uvicorn
from starlette.types import ASGIApp

from hub.feed import Feed
from hub.settings import HttpSettings

__all__ = ["ApiServer", "create_server"]


class ApiServer(uvicorn.Server):
    """Ends within a moment of `should_exit`, however many streams are open."""

    def __init__(self, config: uvicorn.Config, feed: Feed | None) -> None:
        super().__init__(config)
        self._feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams first: uvicorn waits for what is still being answered."""
        if self._feed is not None:
            self._feed.end_streams()
        await super().shutdown(sockets)


def create_server(app: ASGIApp, feed: Feed | None, settings: HttpSettings) -> ApiServer:
    """A server for the settings; `await server.serve()` in its own loop, `server.should_exit = True` ends it.

    `feed` None: nothing it serves has streams.
    """
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
        lifespan="off",
        # What does not end by itself in that time is cut: the whole hub ends within five seconds.
        timeout_graceful_shutdown=3,
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=64 * 1024,
        backlog=1024,
    )
    return ApiServer(config, feed)
