"""Words for whoever has said something that could not be kept: they must not believe that help is under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hub.errors import UnavailableError

__all__ = ["said_plainly"]

_LOST_ZH = "没有记录：数据库暂不可用。请直接电话处置，并在纸上登记；恢复后补录。"
_LOST = "The alarm was not recorded: the database is away. Telephone, write it down, and enter it when it is back."
_UNSURE_ZH = "不知道是否已记录：数据库在写入时中断。请直接电话处置；恢复后查看，没有再补录。"
_UNSURE = (
    "Whether the alarm was recorded is not known: the database went away while it was written. Telephone; look when it "
    "is back, and enter it if it is not there."
)


@contextmanager
def said_plainly() -> Iterator[None]:
    """A person's alarm is not journalled: nobody else repeats it, and whoever said it is there to be told.

    503 with the code `not-recorded`, or `unsure` where the database went away in the middle of the commit.
    """
    try:
        yield
    except UnavailableError as error:
        if error.code != "unavailable":
            raise
        unsure = error.extra.get("outcome") == "unknown"
        zh, en, code = (_UNSURE_ZH, _UNSURE, "unsure") if unsure else (_LOST_ZH, _LOST, "not-recorded")
        # Whoever names no language reads both: what must be done now matters more than who asked.
        raise UnavailableError(f"{zh} / {en}", code=code, said_zh=zh, said_en=en, **error.extra) from error
