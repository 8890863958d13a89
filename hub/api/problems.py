"""RFC 9457 problem documents for every error, in words that say what was wrong and where."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from hub.api.answers import encode
from hub.errors import HubError, UnavailableError
from hub.wording import Language, in_chinese, language_of, worded

__all__ = ["PROBLEM_TYPE", "UnauthorizedError", "install", "problem", "problem_of", "reader_of"]

PROBLEM_TYPE = "application/problem+json"
_log = logging.getLogger("hub.api")

_TITLES = {
    400: "Not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed here",
    409: "Conflict",
    412: "Changed meanwhile",
    413: "Too large",
    422: "The request is not right",
    429: "Too many attempts",
    500: "The hub failed",
    503: "Not available now",
}
_TITLES_ZH = {
    400: "无法识别",
    401: "请先登录",
    403: "没有权限",
    404: "没有找到",
    405: "这里不支持此操作",
    409: "当前状态不允许",
    412: "期间已被改动",
    413: "内容过大",
    422: "填写有误",
    429: "尝试过于频繁",
    500: "系统内部出错",
    503: "暂不可用",
}
_TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    422: "bad-request",
    429: "too-many-attempts",
}
# Members of the document itself: an error's extra values never overwrite them.
_RESERVED = frozenset({"type", "title", "status", "detail", "instance"})


class UnauthorizedError(HubError):
    """Nobody is signed in, or the session is over."""

    code = "unauthorized"
    status = 401


def reader_of(request: Request) -> Language | None:
    """The language the caller asks for; None for a program that names none."""
    return language_of(request.headers.get("accept-language"))


def problem(
    status: int,
    detail: str,
    *,
    language: Language | None = None,
    code: str | None = None,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extra: Any,
) -> Response:
    """One problem document as a response: `title` and `detail` in the reader's `language`; None: as they were written.

    `said_zh` and `said_en` among the further members are `detail` where whoever refuses has it in that language; else
    the Chinese is the catalogue's.
    """
    title = _TITLES.get(status) or HTTPStatus(status).phrase
    if language == "zh":
        title = _TITLES_ZH.get(status) or "出错了"
        # What no catalogue can know (a maker's library, the database's own words) at least begins in Chinese.
        detail = str(extra.get("said_zh") or in_chinese(detail) or f"{title}：{detail}")
    elif language == "en":
        detail = str(extra.get("said_en") or detail)
    body: dict[str, Any] = {
        "type": f"urn:care-hub:{code or _CODES.get(status, 'error')}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if instance:
        body["instance"] = instance
    body.update({key: value for key, value in extra.items() if key not in _RESERVED and value is not None})
    sent = {"Cache-Control": "no-store", "Vary": "Accept-Language", **(headers or {})}
    if language is not None:
        sent["Content-Language"] = _TAGS[language]
    return Response(encode(body), status_code=status, media_type=PROBLEM_TYPE, headers=sent)


def problem_of(error: HubError, instance: str | None = None, language: Language | None = None) -> Response:
    """The document of one of the hub's own errors. A version that is not the row's any more answers 412."""
    status = 412 if error.code == "version" else error.status
    headers: dict[str, str] = {}
    wait = error.extra.get("retry_after_s")
    if isinstance(wait, int | float):
        headers["Retry-After"] = str(max(1, round(wait)))
    elif isinstance(error, UnavailableError):
        headers["Retry-After"] = "2"
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="care-hub"'
    extra: dict[str, Any] = dict(error.extra)
    fields = extra.get("fields")
    if isinstance(fields, list):
        extra["fields"] = [worded(one, language, "detail") if isinstance(one, dict) else one for one in fields]
    return problem(
        status, error.detail, language=language, code=error.code, instance=instance, headers=headers, **extra
    )


def _place(loc: Sequence[int | str]) -> str:
    """('body', 'fix', 'lat') -> 'fix.lat'; a query parameter or header by its name."""
    parts = [str(part) for part in loc]
    if parts and parts[0] in ("body", "query", "path", "header", "cookie"):
        parts = parts[1:] or [parts[0]]
    return ".".join(parts)


def _words(error: Mapping[str, Any]) -> str:
    kind = error.get("type", "")
    if kind == "json_invalid":
        return f"the body is not JSON: {error.get('ctx', {}).get('error', 'cannot be read')}"
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a known field"
    text = str(error.get("msg", "is wrong"))
    return text.removeprefix("Value error, ")


def _validation(request: Request, error: RequestValidationError) -> Response:
    places = [{"field": _place(one["loc"]), "detail": _words(one), "code": one["type"]} for one in error.errors()]
    first = places[0]
    more = f" (and {len(places) - 1} more)" if len(places) > 1 else ""
    language = reader_of(request)
    return problem(
        422,
        f"{first['field']}: {first['detail']}{more}",
        language=language,
        instance=request.url.path,
        field=first["field"],
        errors=[worded(one, language, "detail") for one in places[:50]],
    )


def install(app: FastAPI) -> None:
    """Makes every error of the application a problem document."""

    async def hub_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HubError)
        if error.status >= 500:
            _log.warning("%s %s: %s", request.method, request.url.path, error.detail)
        return problem_of(error, request.url.path, reader_of(request))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _validation(request, error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail = str(error.detail)
        if error.status_code == 404:
            detail = f"there is nothing at {request.url.path}"
        elif error.status_code == 405:
            detail = f"{request.method} is not possible at {request.url.path}"
        return problem(
            error.status_code, detail, language=reader_of(request), instance=request.url.path, headers=error.headers
        )

    app.add_exception_handler(HubError, hub_error)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http_error)
