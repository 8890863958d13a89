"""The log: standard library logging, one line a record, without passwords."""

from __future__ import annotations

import json as json_format
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["configure_logs", "redact"]

_CREDENTIALS = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*):[^\s/@]*(?:/[^\s@]*)?@")
_WORDS = re.compile(
    r"(?P<before>(?:password|passwd|secret|token|authorization|cookie)['\"]?\s*[=:]\s*(?:bearer\s+)?['\"]?)[^\s'\",;&)}]+",
    re.IGNORECASE,
)
# Text from devices may hold anything: a line break in it must not look like a record of its own.
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), 127, 0x85)} | {9: "\t", 10: "\\n", 13: "\\r"}
_CONTROL |= {0x2028: "\\u2028", 0x2029: "\\u2029"}
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without passwords in URLs, values behind words like `password=`, and the given secrets."""
    for secret in secrets:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    text = _CREDENTIALS.sub(r"\g<before>:***@", text)
    return _WORDS.sub(r"\g<before>***", text)


class _OneLine(logging.Formatter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        message = record.getMessage().translate(_CONTROL)
        line = f"{at}Z {record.levelname:<7} {record.name}: {message}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return redact(line, self._secrets)


class _Json(logging.Formatter):
    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage(), self._secrets),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                told[name] = redact(str(value), self._secrets) if not isinstance(value, int | float | None) else value
        if record.exc_info:
            told["exception"] = redact(self.formatException(record.exc_info), self._secrets)
        return json_format.dumps(told, ensure_ascii=False)


def configure_logs(
    level: str = "info", json: bool = False, *, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Sends every record of `level` or above to standard error (or `stream`), as text or as JSON lines.

    `secrets` are words that must not appear whatever the record says. Calling it again replaces what was set before.
    Libraries that bring their own handlers (uvicorn) are led here too.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((_Json if json else _OneLine)(secrets))
    root = logging.getLogger()
    for old in [one for one in root.handlers if getattr(one, "set_by_hub", False)]:
        root.removeHandler(old)
    handler.set_by_hub = True  # type: ignore[attr-defined]
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    # One line a request says nothing the metrics do not; it would carry addresses of people into the log.
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)
