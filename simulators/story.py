"""A story's scenes played beside the devices: each act in its time, and no sooner than the hub is ready for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from simulators.acts import Act, Scene
from simulators.deeds import DEEDS
from simulators.device import Happening
from simulators.seats import NotHereError, NotYetError
from simulators.stage import Stage

__all__ = ["Story"]

_AGAIN_S: Final = 0.4
_TOUCH_EVERY_S: Final = 30.0
_AFTER_WITHIN_S: Final = 20.0


class Story:
    """The scenes of a run. `run()` ends when the last scene has."""

    def __init__(self, scenes: tuple[Scene, ...], stage: Stage, tell: Callable[[Happening], None]) -> None:
        self._scenes = scenes
        self._stage = stage
        self._tell = tell
        labels = {act.label for scene in scenes for act in scene.acts if act.label is not None}
        self._passed = {label: asyncio.Event() for label in labels}
        self._parts: dict[str, int] = {}
        self._free: dict[str, asyncio.Event] = {}
        self.outcomes: dict[str, str] = {}
        """Scene name to `played`, or why it was left."""
        for scene in scenes:
            for name in _names(scene):
                self._parts[name] = self._parts.get(name, 0) + 1
                self._free.setdefault(name, asyncio.Event())

    async def free(self, *names: str | None) -> None:
        """Waits until nothing of the story is left to do for whoever goes by one of these names."""
        for name in names:
            if name in self._free:
                await self._free[name].wait()

    async def run(self) -> None:
        """Plays every scene; scenes run beside each other, the acts of one in their order."""
        touching = asyncio.create_task(self._touch())
        seating = asyncio.create_task(self._seat())
        try:
            async with asyncio.TaskGroup() as tasks:
                for scene in self._scenes:
                    tasks.create_task(self._play(scene))
        finally:
            touching.cancel()
            seating.cancel()
            await self._stage.seats.close()

    async def _play(self, scene: Scene) -> None:
        left = list(scene.acts)
        try:
            for act in scene.acts:
                await self._stage.pace.until(act.at_s)
                await self._follow(act)
                await self._do(scene, act)
                left.remove(act)
                if act.label is not None:
                    self._passed[act.label].set()
            self.outcomes[scene.name] = "played"
        except (NotHereError, NotYetError) as error:
            self.outcomes[scene.name] = f"{left[0].do}: {error}"
            self._say("trouble", f"scene {scene.name} ends at {left[0].do}: {error}")
        finally:
            for act in left:
                if act.label is not None:
                    self._passed[act.label].set()  # nobody waits for what will not come
            for name in _names(scene):
                self._parts[name] -= 1
                if self._parts[name] == 0:
                    self._free[name].set()

    async def _follow(self, act: Act) -> None:
        """Waits for what comes first: as long as it takes where all plays by itself; a visitor may leave it undone."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if self._stage.play == "all" else _AFTER_WITHIN_S):
                for label in act.after:
                    await self._passed[label].wait()

    async def _do(self, scene: Scene, act: Act) -> None:
        began = time.monotonic()
        while True:
            try:
                words = await DEEDS[act.do](self._stage, act)
                break
            except NotYetError:
                if time.monotonic() - began > scene.within_s:
                    raise
            except (LookupError, TypeError, ValueError) as error:
                # An answer that is not what the wire says. It ends this scene and nothing else.
                raise NotHereError(f"unexpected answer: {type(error).__name__}: {error}") from error
            await asyncio.sleep(_AGAIN_S / min(4.0, self._stage.pace.speed))
        if act.zh is not None or act.cue is not None:
            zh, en = ((text or "").format_map(words) for text in (act.zh, act.en))
            self._tell(Happening(self._stage.pace.now(), "caption", act.cue or "", zh, None, en, act.at_s))

    async def _seat(self) -> None:
        """Signs everybody in before the first act: a password takes its time to check."""
        names = dict.fromkeys(act.who for scene in self._scenes for act in scene.acts if act.who is not None)
        for name in names:
            with contextlib.suppress(NotYetError, NotHereError):
                await self._stage.seats.user_id(name)

    async def _touch(self) -> None:
        while True:
            await asyncio.sleep(_TOUCH_EVERY_S)
            await self._stage.touch()

    def _say(self, what: str, text: str) -> None:
        self._tell(Happening(self._stage.pace.now(), what, "", text))


def _names(scene: Scene) -> set[str]:
    """Everybody who has a part in it."""
    named = {name for act in scene.acts for name in (act.who, act.to) if name is not None}
    return named | set(scene.cast)
