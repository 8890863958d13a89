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
import os
import shutil
import sys
from pathlib import Path

from steps import ROOT, VENV, Chain, Step, StepFailedError, digest, output_of, perform, run

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
