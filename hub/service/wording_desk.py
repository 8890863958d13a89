"""What notices say, as the site words it: looked at, tried with made-up values, changed, put back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.clock import Clock
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.notices import TEMPLATES, Language, Template, Words
from hub.notices.wording import PARTS, Fault, faults, placeholders, remarks, sample
from hub.ports import Actor, Database, Json, Transaction
from hub.service.guards import check_version
from hub.service.sending import Wording

__all__ = ["WordingDesk"]

_WORDLESS: Final = frozenset({"event"})


class WordingDesk:
    """`wording`: what every message may speak of."""

    def __init__(self, database: Database, clock: Clock, wording: Wording) -> None:
        self._database = database
        self._clock = clock
        self._wording = wording

    def overview(self) -> list[Json]:
        """Every template: the words in force, the hub's own, the version of each language (0: never changed)."""
        with self._database.begin() as tx:
            changed = _states(tx)
        return [_shown(one, changed) for one in TEMPLATES.values() if one.name not in _WORDLESS]

    def show(self, name: str) -> Json:
        """One of them, with every wording there was. NotFoundError."""
        template = _template(name)
        with self._database.begin() as tx:
            return {**_shown(template, _states(tx)), "versions": tx.notices.wording_versions(name)}

    def preview(self, name: str, language: Language, words: Words) -> Json:
        """The words with made-up values; `faults` forbid them, `remarks` should be seen. Changes nothing."""
        template = _template(name)
        found = faults(template, language, words)
        return {
            "said": None if found else dict(self._sample(template, language, words)),
            "faults": [_fault(one) for one in found],
            "remarks": [_fault(one) for one in remarks(template, language, words)],
        }

    def _sample(self, template: Template, language: Language, words: Words) -> Mapping[str, str]:
        return sample(template, language, words, site=self._wording.site, desk=self._wording.desk)

    def change(
        self, name: str, language: Language, words: Words | None, note: str | None, version: int | None, actor: Actor
    ) -> None:
        """Puts words in force from the next message on; None: the hub's own again. `version`: of what was read.

        BadRequestError: a fault, with its part. ConflictError: somebody else was first.
        """
        template = _template(name)
        found = faults(template, language, words) if words is not None else []
        if found:
            raise BadRequestError("; ".join(f"{one.part}: {one.text}" for one in found), field=found[0].part)
        now = self._clock()
        with self._database.begin() as tx:
            current = int(_states(tx).get((name, language), {}).get("version", 0))
            check_version(current, version)
            if not tx.notices.wording_add(name, language, current + 1, words, note, actor, now):
                raise ConflictError("the words were changed this moment by somebody else", code="version")
            detail = {"language": language, "version": current + 1, "standard": words is None, "note": note}
            tx.audit.add(actor, "wording.change", f"template:{name}", detail, now)


def _states(tx: Transaction) -> dict[tuple[str, str], Json]:
    return {(row["template"], row["language"]): row for row in tx.notices.wording_states()}


def _shown(template: Template, changed: dict[tuple[str, str], Json]) -> Json:
    shown: Json = {
        "name": template.name,
        "required": list(template.required),
        "optional": list(template.optional),
        "asks": template.asks,
        "placeholders": {part: list(placeholders(template, part)) for part in PARTS},
    }
    for language in ("zh", "en"):
        row = changed.get((template.name, language))
        own = template.words(language)
        now = own if row is None or row["standard"] else Words(*(row[part] for part in PARTS))
        shown[language] = {part: getattr(now, part) for part in PARTS}
        shown[f"{language}_state"] = {
            "version": row["version"] if row else 0,
            "changed": now != own,
            "changed_at": row["at"] if row else None,
            "standard": {part: getattr(own, part) for part in PARTS},
        }
    return shown


def _template(name: str) -> Template:
    template = TEMPLATES.get(name)
    if template is None or name in _WORDLESS:
        raise NotFoundError(f"there is no template {name[:64]!r} with words")
    return template


def _fault(one: Fault) -> Json:
    return {"part": one.part, "text": one.text}
