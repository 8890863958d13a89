"""The hub's English sentences in the reader's language. Pure: no I/O but its own catalogue, read once.

A refusal is written in English where it arises, as its author thinks of it; the catalogue beside this file has the
Chinese of each, with `{}` for what was filled in. So a sentence has one place in the code and one in the catalogue, and
logs, programs and the command line go on reading English.
"""

from __future__ import annotations

from hub.wording.reader import Language, language_of
from hub.wording.sentences import in_chinese, in_language, worded

__all__ = ["Language", "in_chinese", "in_language", "language_of", "worded"]
