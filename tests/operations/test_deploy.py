"""The files a site is set up with name only what there is: settings, paths, endpoints, commands."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from hub.api.roles import TABLE
from hub.cli import main
from hub.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose"
MADE = {"broker/passwords", "broker/conf.d", "backups", "database_password", "grafana_password", "hub.env"}
"""By deploy/compose/passwords."""


def setting_names() -> set[str]:
    """Every setting there is, and the file's own."""
    names = {"HUB_CONFIG"}
    for name, described in Settings.model_fields.items():
        names.add(f"HUB_{name}".upper())
        section = described.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            names |= {f"HUB_{name}__{inner}".upper() for inner in section.model_fields}
    return names


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))
    return found


def texts() -> Iterator[tuple[str, str]]:
    for path in sorted(DEPLOY.rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".json", ".pyc") and not path.name.endswith("~"):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_every_setting_that_is_named_exists() -> None:
    known = setting_names()
    wrong = {
        (place, name) for place, text in texts() for name in re.findall(r"\bHUB_[A-Z0-9_]+", text) if name not in known
    }
    assert not wrong


def test_every_command_that_is_named_exists() -> None:
    commands = set(main.commands)
    called = {
        (place, name)
        for place, text in texts()
        for name in re.findall(r"(?:\bbin/hub|\bexec hub|\"hub|&& hub|^hub) ([a-z]+)", text, re.MULTILINE)
    }
    assert called
    assert {name for _, name in called} <= commands, called


def test_mounted_files_are_here_or_made_by_the_script(compose: dict[str, Any]) -> None:
    named = set(compose["volumes"])
    missing = []
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source in named:
                continue
            place = (COMPOSE / source).resolve()
            if not place.exists() and source.removeprefix("./") not in MADE:
                missing.append(volume)
    assert missing == []
    for secret in compose["secrets"].values():
        assert secret["file"].removeprefix("./") in MADE
    ignored = (COMPOSE / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {one.split("/")[0] for one in MADE} == {one.rstrip("/") for one in ignored}
    docker = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {f"deploy/compose/{one.split('/')[0]}" for one in MADE} <= set(docker), "a secret would get into the image"


def test_the_health_check_asks_for_what_there_is(compose: dict[str, Any]) -> None:
    check = " ".join(compose["services"]["hub"]["healthcheck"]["test"])
    found = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)
    assert found is not None
    assert found[2] == "/readyz"
    assert TABLE["GET", found[2]] == "public"
    assert int(found[1]) == Settings.model_fields["http"].default.port
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"][0]["targets"] == [f"hub:{found[1]}"]
    assert TABLE["GET", job["metrics_path"]] == "public"
    started = {name: one["depends_on"] for name, one in compose["services"].items() if "depends_on" in one}
    for needed in started["hub"]:
        assert "healthcheck" in compose["services"][needed], needed


def test_grafana_finds_what_it_is_given(compose: dict[str, Any]) -> None:
    grafana = compose["services"]["grafana"]
    provider = yaml.safe_load(
        (DEPLOY / "grafana" / "provisioning" / "dashboards" / "care-hub.yml").read_text(encoding="utf-8")
    )["providers"][0]
    mounted = [volume.split(":")[1] for volume in grafana["volumes"]]
    assert any(place.startswith(provider["options"]["path"] + "/") for place in mounted)
    assert grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"] in mounted
    source = yaml.safe_load(
        (DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml").read_text(encoding="utf-8")
    )["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose["services"]
    assert all(compose["services"][name]["profiles"] == ["monitoring"] for name in ("prometheus", "grafana"))


def test_the_image_is_built_from_the_lock_files() -> None:
    lines = (COMPOSE / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(lines)
    assert "--require-hashes --requirement requirements.lock" in text
    assert "npm ci" in text
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source
    assert "USER care-hub" in text


def test_the_compose_file_is_one(tmp_path: Path) -> None:
    program = shutil.which("docker-compose")
    if program is None or not _compose_reads_it(program):
        pytest.skip("no docker-compose 2 or later is installed")
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not installed")
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("__pycache__"))
    made = subprocess.run([copy / "compose" / "passwords"], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    for profile in ([], ["--profile", "monitoring"]):
        done = subprocess.run(
            [program, *profile, "-f", "compose.yaml", "config", "--quiet"],
            cwd=copy / "compose",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def _compose_reads_it(program: str) -> bool:
    done = subprocess.run([program, "version", "--short"], capture_output=True, text=True, check=False)
    number = done.stdout.strip().removeprefix("v").split(".")[0]
    return done.returncode == 0 and number.isdigit() and int(number) >= 2


def test_the_script_makes_what_the_files_need(tmp_path: Path) -> None:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("mosquitto_passwd is not installed")
    folder = tmp_path / "compose"
    shutil.copytree(COMPOSE, folder)
    for _ in range(2):
        done = subprocess.run([folder / "passwords"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, "a second run overwrites nothing"
    for name in MADE:
        assert (folder / name).exists(), name
    assert (folder / "hub.env").stat().st_mode & 0o077 == 0
    users = {line.split(":")[0] for line in (folder / "broker" / "passwords").read_text().splitlines()}
    acl = (DEPLOY / "mosquitto" / "acl").read_text(encoding="utf-8")
    assert users <= set(re.findall(r"^user (\S+)", acl, re.MULTILINE))


def test_the_units_are_ones(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not installed")
    for path in (DEPLOY / "systemd").glob("care-hub*"):
        text = path.read_text(encoding="utf-8")
        # The programs are not installed on this machine: what is checked is the unit itself.
        (tmp_path / path.name).write_text(re.sub(r"/opt/care-hub/\.venv/bin/hub", "/bin/true", text))
    done = subprocess.run(
        [program, "verify", *sorted(str(path) for path in tmp_path.glob("care-hub*"))],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "care-hub" in line and "not found" not in line]
    assert complaints == [], done.stderr
