"""Sets the project up where it stands: environment, packages, web pages. `make` calls it; it may be run any time.

    python3 deploy/setup/prepare.py run    what `hub` and its pages need
    python3 deploy/setup/prepare.py test   that, and what the tests need
    python3 deploy/setup/prepare.py web    the pages alone

A step is done again only when what it depends on has changed: each leaves a stamp with a digest of its inputs below
.venv/stamps. What the tools say goes to build/setup-*.log; a failing step shows the end of it. Uses nothing beyond the
standard library, because nothing is installed yet.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STAMPS = VENV / "stamps"
LOGS = ROOT / "build"
WEB = ROOT / "hub" / "console" / "web"
PAGES = ROOT / "hub" / "console" / "dist"
TIMESCALE = ROOT / "tests" / "timescale"
NOT_SOURCES = {"node_modules", "test", "test-results"}
"""Folders of the web pages that the built pages do not depend on."""

OLDEST_NODE = {20: 19, 22: 12}
"""What vite runs on: 20.19 or later of 20, 22.12 or later. Newer even numbers always, odd ones never."""

SYSTEM_PACKAGES = {
    "chromium": ("browser tests", "chromium"),
    "fonts-noto-cjk": ("Chinese letters in screenshots", ""),
    "mosquitto": ("tests on the site broker", "mosquitto"),
    "mosquitto-clients": ("trying the broker by hand", "mosquitto_pub"),
}
"""Debian's name, what it is for, the program by which it is known to be there."""


NOTES: list[str] = []
"""What to say at the end."""


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


# -- Python


def venv_program(name: str) -> str:
    return str(VENV / "bin" / name)


def environment_works() -> bool:
    told = output_of(venv_program("python"), "-c", "import sys, pip; print(*sys.version_info[:2])")
    return told == " ".join(str(part) for part in sys.version_info[:2])


def make_environment() -> None:
    if environment_works():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        run(sys.executable, "-m", "venv", str(VENV))
    except StepFailedError:
        # Debian and Ubuntu cut what this needs out of Python, into a package of its own.
        shutil.rmtree(VENV, ignore_errors=True)
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        if not may_install():
            raise StepFailedError(f"python3 -m venv does not work; on Debian: sudo apt-get install {package}") from None
        apt_install(package)
        run(sys.executable, "-m", "venv", str(VENV))


def pip(*arguments: str) -> None:
    run(venv_program("python"), "-m", "pip", *arguments, "--disable-pip-version-check", "--no-input")


def python_steps(lock: str) -> list[Step]:
    version = sys.version_info[:2]
    return [
        Step(
            "environment",
            "建立环境 · making the environment",
            make_environment,
            lambda: digest(version),
            environment_works,
        ),
        Step(
            lock,
            "安装依赖 · installing packages",
            lambda: pip("install", "--require-hashes", "--requirement", lock),
            lambda: digest(ROOT / lock, version),
            lambda: Path(venv_program("uvicorn")).exists(),
        ),
        Step(
            "project",
            "安装本项目 · installing the project",
            lambda: pip("install", "--no-deps", "--no-build-isolation", "--editable", "."),
            lambda: digest(ROOT / "pyproject.toml", version),
            lambda: all(Path(venv_program(name)).exists() for name in ("hub", "simulate")),
        ),
    ]


# -- the web pages


def node_fits(node: str) -> bool:
    told = output_of(node, "--version").removeprefix("v").split(".")
    if len(told) < 2 or not (told[0].isdigit() and told[1].isdigit()):
        return False
    major, minor = int(told[0]), int(told[1])
    return minor >= OLDEST_NODE[major] if major in OLDEST_NODE else major >= 24 and major % 2 == 0


def node_folder() -> Path | None:
    """Where a fitting `node` and its `npm` lie: on the machine, or installed into the environment."""
    for folder in [*os.environ.get("PATH", "").split(os.pathsep), str(VENV / "bin")]:
        if folder and (Path(folder) / "npm").exists() and node_fits(str(Path(folder) / "node")):
            return Path(folder)
    return None


def npm(*arguments: str, folder_of: Path = WEB) -> None:
    folder = node_folder()
    if folder is None:
        raise StepFailedError("no node 20.19 or later, 22.12 or later, was found")
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    run(str(folder / "npm"), *arguments, "--no-fund", "--no-audit", cwd=folder_of, env={**os.environ, "PATH": path})


def page_sources() -> str:
    files = [
        path
        for path in sorted(WEB.rglob("*"))
        if path.is_file() and not NOT_SOURCES & set(path.relative_to(WEB).parts) and path.suffix != ".tsbuildinfo"
    ]
    return digest(*files)


def node_steps() -> list[Step]:
    if not (WEB / "package.json").exists() or node_folder() is not None:
        return []
    return [
        Step(
            "node",
            "安装 node · installing node",
            lambda: pip("install", "--require-hashes", "--requirement", "requirements-node.lock"),
            lambda: digest(ROOT / "requirements-node.lock"),
            lambda: node_folder() is not None,
        )
    ]


def page_steps() -> list[Step]:
    if not (WEB / "package.json").exists():
        return []
    return [
        Step(
            "web-packages",
            "安装网页依赖 · installing web packages",
            lambda: npm("ci"),
            lambda: digest(WEB / "package.json", WEB / "package-lock.json"),
            lambda: (WEB / "node_modules" / ".package-lock.json").exists(),
        ),
        Step(
            "web-pages",
            "生成网页 · building the web pages",
            lambda: npm("run", "build"),
            page_sources,
            lambda: (PAGES / "index.html").exists(),
        ),
    ]


# -- TimescaleDB for the tests, which no Python package and no Debian brings


def install_timescale() -> None:
    try:
        npm("ci", "--fetch-retries=1", "--fetch-timeout=30000", folder_of=TIMESCALE)
    except StepFailedError as error:
        NOTES.append(f"没有 TimescaleDB · without TimescaleDB: its tests are left out ({error})")


def timescale_step() -> Step:
    return Step(
        "timescale-packages",
        "安装测试用 TimescaleDB · installing TimescaleDB for the tests",
        install_timescale,
        lambda: digest(TIMESCALE / "package.json", TIMESCALE / "package-lock.json"),
        lambda: (TIMESCALE / "node_modules" / ".package-lock.json").exists(),
    )


# -- what the system brings


def may_install() -> bool:
    if shutil.which("apt-get") is None:
        return False
    return os.geteuid() == 0 or (shutil.which("sudo") is not None and bool(output_of("sudo", "-n", "id", "-u")))


def apt_install(*packages: str) -> None:
    before = [] if os.geteuid() == 0 else ["sudo", "-n"]
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive"]
    install = [*before, *quiet, "apt-get", "install", "--yes", "--no-install-recommends", *packages]
    try:
        run(*install)
    except StepFailedError:
        # The lists of a fresh machine are empty or old.
        run(*before, *quiet, "apt-get", "update")
        run(*install)


def has_package(name: str) -> bool:
    program = SYSTEM_PACKAGES[name][1]
    if program and shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return True
    return output_of("dpkg-query", "--show", "--showformat=${db:Status-Status}", name) == "installed"


def install_system_packages() -> None:
    missing = [name for name in SYSTEM_PACKAGES if not has_package(name)]
    if missing and may_install():
        try:
            apt_install(*missing)
        except StepFailedError as error:
            NOTES.append(str(error))
        if "mosquitto" in missing and Path("/run/systemd/system").exists():
            # Debian starts a broker on port 1883 with it; the tests start their own, on ports of their own.
            before = [] if os.geteuid() == 0 else ["sudo", "-n"]
            output_of(*before, "systemctl", "disable", "--now", "mosquitto.service")
    still = [name for name in missing if not has_package(name)]
    NOTES.extend(f"没有 {name} · without {name}: {SYSTEM_PACKAGES[name][0]} left out" for name in still)


def system_step() -> Step:
    return Step(
        "system-packages",
        "检查系统软件包 · checking system packages",
        install_system_packages,
        lambda: digest(*SYSTEM_PACKAGES),
        lambda: all(has_package(name) for name in SYSTEM_PACKAGES),
    )


# -- all together


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


def main() -> None:
    """Reads what is wanted and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", choices=["run", "test", "web"])
    wanted = parser.parse_args().wanted
    lock = "requirements-dev.lock" if wanted == "test" else "requirements.lock"
    environment, *packages = python_steps(lock)
    if wanted == "web":
        packages = []
    system = [system_step()] if wanted == "test" else []
    first = [environment, *node_steps()]
    pages = page_steps() + ([timescale_step()] if wanted == "test" else [])
    chains = [Chain("packages", packages), Chain("pages", pages), Chain("system", system)]
    total = len(first) + sum(len(chain.steps) for chain in chains)
    try:
        # Stamps lie in the environment, and so may node: it comes first.
        perform([Chain("environment", first)], total=total)
        perform(chains, done=len(first), total=total)
    except KeyboardInterrupt:
        sys.exit(130)
    for note in NOTES:
        print(f"      {note}", flush=True)


if __name__ == "__main__":
    main()
