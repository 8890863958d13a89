"""Serving the built pages: long caches for hashed files, none for the pages, strict headers, no path outside."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

__all__ = ["mount_console"]

DIST = Path(__file__).parent / "dist"

# Everything comes from the hub itself: a page that can show an address and a diagnosis loads nothing from elsewhere.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src {images}",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
PAGE_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY.format(images="'self'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
NO_CACHE = {"Cache-Control": "no-cache"}
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>网页尚未构建 · Pages not built</title>
<h1>网页尚未构建</h1><p>请在项目目录运行 <code>make web</code>，然后刷新本页。接口不受影响。</p>
<h1>The web pages are not built</h1>
<p>Run <code>make web</code> in the project folder, then reload. The API is not affected.</p>
</html>
"""


def mount_console(app: FastAPI, dist: Path = DIST, *, tiles: str | None = None) -> None:
    """Adds the routes of the pages: `/`, `/m/`, `/m/claim`, `/home`, `/q/{code}`, `/assets/{name}`, `/mark.svg`, the
    phone's manifest and service worker.

    `tiles`: the origin (`https://*.example.org`) of a base map the console may load; nothing else comes from outside.
    Without a build every page answers 503 and says what to run; a build that appears later is served without a restart.
    """

    async def console(_request: Request) -> Response:
        return _page(dist, "index.html", tiles)

    async def phone(_request: Request) -> Response:
        return _page(dist, "m/index.html")

    async def home(_request: Request) -> Response:
        return _page(dist, "home/index.html")

    async def phone_redirect(_request: Request) -> Response:
        return RedirectResponse("/m/", status_code=308)

    async def asset(request: Request) -> Response:
        return _file(dist / "assets", request.path_params["name"], request, FOREVER)

    async def mark(request: Request) -> Response:
        return _file(dist, "mark.svg", request, NO_CACHE)

    async def manifest(request: Request) -> Response:
        return _file(dist / "m", "manifest.webmanifest", request, NO_CACHE)

    async def worker(request: Request) -> Response:
        return _file(dist / "m", "sw.js", request, NO_CACHE)

    for path, endpoint in (
        ("/", console),
        ("/m/", phone),
        ("/m", phone_redirect),
        ("/m/claim", phone),
        ("/home", home),
        ("/q/{code}", home),
        ("/assets/{name}", asset),
        ("/mark.svg", mark),
        ("/m/manifest.webmanifest", manifest),
        ("/m/sw.js", worker),
    ):
        # Plain routes: the pages are public, what they show is asked for with a session of its own.
        app.add_route(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False)


def _page(dist: Path, name: str, tiles: str | None = None) -> Response:
    path = dist / name
    if not path.is_file():
        return HTMLResponse(NOT_BUILT, status_code=503, headers={**PAGE_HEADERS, "Cache-Control": "no-store"})
    policy = CONTENT_SECURITY_POLICY.format(images=f"'self' {tiles}" if tiles else "'self'")
    headers = {**PAGE_HEADERS, **NO_CACHE, "Content-Security-Policy": policy}
    return FileResponse(path, media_type=MEDIA_TYPES[".html"], headers=headers)


def _file(folder: Path, name: str, request: Request, cache: dict[str, str]) -> Response:
    """One file of a folder by its plain name; compressed where the build left `name.gz` and the browser takes it."""
    path = folder / name
    # A route's `{name}` holds no slash, but it may still be `..` or a name with a drive or a null byte.
    plain = name == Path(name).name and not name.startswith(".") and "\x00" not in name
    if not plain or path.suffix not in MEDIA_TYPES or not path.is_file():
        return Response(status_code=404, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})
    headers = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin", **cache}
    packed = path.with_name(f"{name}.gz")
    if packed.is_file():
        headers["Vary"] = "Accept-Encoding"
        accepted = request.headers.get("accept-encoding", "").lower().split(",")
        if any(one.split(";")[0].strip() == "gzip" for one in accepted):
            headers["Content-Encoding"] = "gzip"
            path = packed
    return FileResponse(path, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)
