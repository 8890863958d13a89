"""How the set-up works its steps off: side by side in chains, a line of progress a step, a log a chain.

Nothing beyond the standard library: nothing is installed yet.
"""

from __future__ import annotations

import hashlib
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROOT", "VENV", "Chain", "Step", "StepFailedError", "digest", "output_of", "perform", "run"]

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
LOGS = ROOT / "build"


class StepFailedError(Exception):
    """A step failed; the message is for a person."""


@dataclass
class Step:
    """One line of progress. `inputs` digests what the result depends on, `there` says whether it is in place."""

    name: str
    says: str
    work: Callable[[], None]
    inputs: Callable[[], str]
    there: Callable[[], bool]

    @property
    def done(self) -> bool:
        stamp = STAMPS / self.name
        return stamp.exists() and stamp.read_text() == self.inputs() and self.there()

    def run(self) -> None:
        self.work()
        STAMPS.mkdir(parents=True, exist_ok=True)
        (STAMPS / self.name).write_text(self.inputs())


def digest(*things: object) -> str:
    """One word for texts and for files with their contents."""
    state = hashlib.sha256()
    for thing in things:
        state.update(str(thing).encode() + b"\0")
        if isinstance(thing, Path):
            state.update(thing.read_bytes() if thing.exists() else b"")
    return state.hexdigest()


def log_file() -> Path:
    """The log of the chain of steps that this thread works on."""
    return LOGS / f"setup-{threading.current_thread().name}.log"


def run(*command: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Runs a command, its output into the log; raises StepFailedError when it fails."""
    with log_file().open("ab") as log:
        log.write(f"\n$ {' '.join(command)}\n".encode())
        log.flush()
        try:
            done = subprocess.run(
                command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
            )
        except OSError as error:
            raise StepFailedError(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise StepFailedError(f"{' '.join(command[:4])} … ended with status {done.returncode}")


def output_of(*command: str) -> str:
    """What a command prints, or nothing where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


class Chain:
    """Steps one after another, in a thread of their own; each leaves how long it took, or why it failed."""

    def __init__(self, name: str, steps: list[Step]) -> None:
        self.steps = steps
        self.ended: queue.Queue[tuple[float, StepFailedError | None]] = queue.Queue()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)

    def _work(self) -> None:
        for step in self.steps:
            if self.stop.is_set():
                return
            began = time.monotonic()
            try:
                if not step.done:
                    step.run()
                    self.ended.put((time.monotonic() - began, None))
                else:
                    self.ended.put((0.0, None))
            except StepFailedError as error:
                self.ended.put((0.0, error))
                return
            except BaseException as error:
                self.ended.put((0.0, StepFailedError(f"{type(error).__name__}: {error}")))
                raise

    @property
    def log(self) -> Path:
        return LOGS / f"setup-{self.thread.name}.log"


def perform(chains: list[Chain], *, done: int = 0, total: int = 0) -> None:
    """Works on the chains side by side and reports them in order, a line for each step that had something to do.

    `done` steps of `total` went before.
    """
    LOGS.mkdir(exist_ok=True)
    for chain in chains:
        chain.log.write_bytes(b"")
        chain.thread.start()
    number = done
    for chain in chains:
        for step in chain.steps:
            number += 1
            said = f"[{number}/{total}] {step.says} … "
            try:
                # A step that finds everything in place says nothing.
                seconds, failure = chain.ended.get(timeout=0.3)
            except queue.Empty:
                print(said, end="", flush=True)
                said = ""
                seconds, failure = chain.ended.get()
            if failure is not None:
                print(f"{said}失败 · failed", flush=True)
                # Two set-ups at once, this one's rest and the next, would spoil each other's work.
                for other in chains:
                    other.stop.set()
                for other in chains:
                    other.thread.join()
                show_failure(failure, chain.log)
                sys.exit(1)
            if seconds or not said:
                print(f"{said}{seconds:.1f} s", flush=True)


def show_failure(error: StepFailedError, log: Path) -> None:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    for line in lines[-25:]:
        print(f"      {line}", file=sys.stderr)
    print(f"\n{error}\n全部记录 · the whole log: {log.relative_to(ROOT)}", file=sys.stderr)
