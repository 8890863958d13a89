"""The `hub` command as its users have it: accounts, devices, the schema, the settings, starting and ending."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.embedded.processes import alive
from tests.e2e.live import listening
from tests.embedded.folders import made_folder, one_cluster, open_folder
from tests.fixtures.hub import HUB, RunningHub
from tests.waiting import wait_until

__all__ = ["made_folder", "one_cluster", "open_folder"]  # fixtures

Json = dict[str, Any]


@pytest.fixture
def run(watch_hub: RunningHub, tmp_path: Path) -> Any:
    """A command on the running hub's database, in this process: a new one each time would cost seconds."""

    def invoke(*arguments: str, stdin: str | None = None, **settings: str) -> Result:
        environment: dict[str, str | None] = {name: None for name in os.environ if name.startswith("HUB_")}
        environment |= {"HUB_DATA_DIR": str(tmp_path / "data"), "HUB_DATABASE__URL": watch_hub.database_url, **settings}
        return CliRunner().invoke(main, arguments, input=stdin, env=environment)

    return invoke


def signs_in(hub: RunningHub, username: str, password: str) -> int:
    body = {"username": username, "password": password}
    headers = {"Sec-Fetch-Site": "same-origin"}
    return httpx.post(f"{hub.base_url}/api/v1/session", json=body, headers=headers, timeout=10).status_code


# --- accounts and devices ---------------------------------------------------------------------------------------------


def test_an_account_is_added_beside_the_running_hub(watch_hub: RunningHub) -> None:
    phone = ("--phone", "139 0000 0017")
    done = watch_hub.hub("user", "add", "nightdesk", "--role", "operator", *phone, stdin="long enough\nlong enough\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert "nightdesk" in done.stdout
    assert "long enough" not in done.stdout
    assert watch_hub.rows("SELECT phone FROM users WHERE username = 'nightdesk'")[0]["phone"] == "139 0000 0017"
    assert signs_in(watch_hub, "nightdesk", "long enough") == 200
    assert signs_in(watch_hub, "nightdesk", "another") == 401
    stored = watch_hub.rows("SELECT password_hash FROM users WHERE username = 'nightdesk'")[0]["password_hash"]
    assert stored.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "said"),
    [
        (["zhoumin", "--role", "operator"], "long enough\n", 1, "zhoumin"),
        (["new1", "--role", "operator"], "", 1, "no password"),
        (["new2", "--role", "operator"], "long enough\nother words\n", 1, "differ"),
        (["new3", "--role", "staff"], "long enough\n", 1, "--person"),
        (["new4", "--role", "staff", "--person", "S-NOBODY"], "long enough\n", 1, "S-NOBODY"),
        (["new5", "--role", "king"], "long enough\n", 2, "king"),
        (["new6", "--role", "operator", "--password", "long enough"], "", 2, "--password"),
        (["new7", "--role", "operator", "long enough"], "", 2, "unexpected extra argument"),
        (["n w", "--role", "operator"], "long enough\n", 1, "blanks"),
        (["new8", "--role", "supervisor", "--phone", "ring me"], "long enough\n", 1, "telephone number"),
    ],
)
def test_an_account_that_cannot_be(
    run: Any, watch_hub: RunningHub, arguments: list[str], stdin: str, status: int, said: str
) -> None:
    before = watch_hub.rows("SELECT count(*) AS n FROM users")
    done = run("user", "add", *arguments, stdin=stdin)
    assert done.exit_code == status, done.output
    assert said in done.output
    assert watch_hub.rows("SELECT count(*) AS n FROM users") == before


def test_a_device_gets_its_credential_once(run: Any, watch_hub: RunningHub) -> None:
    done = run("device", "add", "cord-77", "--family", "care", "--resident", "R-0002", "--name", "浴室拉绳")
    assert done.exit_code == 0, done.output
    assert len(done.output.strip().splitlines()) == 1
    credential = done.output.split()[-1]
    assert len(credential) >= 24
    row = watch_hub.rows("SELECT resident_id, secret_hash FROM devices WHERE id = 'cord-77'")[0]
    assert row["resident_id"] == "R-0002"
    assert credential not in row["secret_hash"]
    with watch_hub.sign_in("operator") as desk:
        shown = desk.get("/api/v1/devices/cord-77")
        assert shown.json()["resident"]["name"] == "陈秀英"
        assert credential not in shown.text

    assert run("device", "add", "5550001111", "--family", "watch").output.split()[-1] == "5550001111"
    for arguments, said in (
        (["cord-77", "--family", "care"], "cord-77"),
        (["hub-alarm", "--family", "care"], "hub-"),
        (["a/b", "--family", "care"], "a/b"),
        (["cord-78", "--family", "toaster"], "toaster"),
        (["cord-78", "--family", "care", "--resident", "R-9999"], "R-9999"),
    ):
        refused = run("device", "add", *arguments)
        assert refused.exit_code in (1, 2), refused.output
        assert said in refused.output
        assert "Traceback" not in refused.output


# --- the pure one -----------------------------------------------------------------------------------------------------


def test_decode_needs_no_server(tmp_path: Path) -> None:
    frame = "[3G*5550001234*005a*AL_LTE,221126,071504,V,0.0,N,0.0,E,22.0,0,-1,0,77,41,1840,2,00210001,0,0]"
    done = subprocess.run(
        [str(HUB), "decode", "watch"],
        input=f"{frame}\nnonsense\n{frame}\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1, "a bad line"
    first, bad, last = (json.loads(line) for line in done.stdout.splitlines())
    assert [event["type"] for event in first["events"]] == ["sos", "fall"]
    assert first["replies"] == ["[3G*5550001234*0002*AL]"]
    assert first["error"] is None
    assert bad["error"]
    assert last == first
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


# --- schema, check, reconciliation ------------------------------------------------------------------------------------


def test_the_schema_is_asked_for_and_made(run: Any, empty_database_url: str) -> None:
    here = {"HUB_DATABASE__URL": empty_database_url}
    missing = run("migrate", "--check", **here)
    assert missing.exit_code == 1
    names = re.findall(r"missing: (\S+)", missing.output)
    assert names
    made = run("migrate", **here)
    assert made.exit_code == 0, made.output
    assert re.findall(r"applied: (\S+)", made.output) == names
    for arguments in (["migrate", "--check"], ["migrate"]):
        again = run(*arguments, **here)
        assert (again.exit_code, again.output.strip()) == (0, "the schema is up to date")


def test_check_says_what_is_wrong(run: Any, watch_hub: RunningHub) -> None:
    durable = f"{watch_hub.database_url}&options=-c%20synchronous_commit%3Don"
    good = run("check", HUB_MQTT__URL=watch_hub.broker.url, HUB_DATABASE__URL=durable)
    assert good.exit_code == 0, good.output
    assert "WRONG" not in good.output
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = nobody.getsockname()[1]
        secret = "mqtt://hub:very-secret@127.0.0.1"
        bad = run("check", HUB_MQTT__URL=f"{secret}:{port}", HUB_DATABASE__URL=f"postgresql://u:pw9@127.0.0.1:{port}/x")
    assert bad.exit_code == 1
    wrong = [line for line in bad.output.splitlines() if line.startswith("WRONG")]
    assert [line.split()[1] for line in wrong] == ["database:", "broker:"]
    assert "very-secret" not in bad.output
    assert "pw9" not in bad.output


def test_reconcile_tells_what_was_lost(run: Any, tmp_path: Path) -> None:
    ledger = tmp_path / "sent.jsonl"
    press = {"device_id": "W-009", "ref": "gone-1", "sent_at": "2026-11-22T07:00:00Z", "told": None}
    ledger.write_text(json.dumps(press) + "\n")
    untold = run("reconcile", "--sent", str(ledger), "--json")
    assert untold.exit_code == 0, "not told: the device still has it"
    assert (json.loads(untold.output)["lost"], json.loads(untold.output)["untold"]) == (0, 1)
    ledger.write_text(json.dumps(press) + "\n" + json.dumps(press | {"told": "received"}) + "\n")
    lost = run("reconcile", "--sent", str(ledger))
    assert lost.exit_code == 1
    assert "lost 1" in lost.output
    assert "gone-1" in lost.output
    ledger.write_text(json.dumps(press) + "\n{oh\n")
    bad = run("reconcile", "--sent", str(ledger))
    assert bad.exit_code == 1
    assert "sent.jsonl, line 2" in bad.output
    half = json.dumps(press | {"ref": "没有写完"}, ensure_ascii=False).encode()[:-40]
    ledger.write_bytes(json.dumps(press).encode() + b"\n" + half)
    cut = run("reconcile", "--sent", str(ledger))
    assert cut.exit_code == 0, "a sender that was killed while it wrote"
    assert "line 2: broken off" in cut.output
    assert "pressed 1" in cut.output
    for since in ("yesterday", "2026-11-22T07:00:00"):
        assert run("reconcile", "--since", since).exit_code == 1


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HUB_HTTP__PORT", "eighty"),
        ("HUB_HTTP__PORT", "70000"),
        ("HUB_DATABASE__URL", "mysql://x"),
        ("HUB_MQTT__URL", "http://x"),
        ("HUB_MQTT__CA_FILE", "/nowhere.pem"),
        ("HUB_TCP__WATCH_PORT", "-1"),
        ("HUB_HTTP__PROT", "8080"),
        ("HUB_DATA_DIR", "/proc/none"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(run: Any, name: str, value: str) -> None:
    done = run("serve", **{"HUB_MQTT__EMBEDDED_PORT": "0", "HUB_MQTT__EMBEDDED_PORT_V5": "0", name: value})
    assert done.exit_code == 2, done.output
    (only,) = done.output.strip().splitlines()
    assert only.startswith("hub: ")
    assert name in only


@pytest.mark.parametrize("name", ["HUB_HTTP__PORT", "HUB_TCP__WATCH_PORT"])
def test_a_port_somebody_else_has_is_named(watch_hub: RunningHub, tmp_path: Path, name: str) -> None:
    environment = Own(tmp_path).environment | {"HUB_DATABASE__URL": watch_hub.database_url, "HUB_LOG__LEVEL": "error"}
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = subprocess.run(
            [str(HUB), "serve"],
            env=environment | {name: port},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2, done.stderr
    (only,) = done.stderr.strip().splitlines()
    assert only.startswith(f"hub: {name}: ")
    assert port in only


# --- a hub of one's own -----------------------------------------------------------------------------------------------


class Own:
    """`hub serve` without a database or broker configured."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None
        self.base_url = ""

    @property
    def environment(self) -> dict[str, str]:
        found = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
        return found | {
            "HUB_DATA_DIR": str(self.folder),
            "HUB_MQTT__EMBEDDED_PORT": "0",
            "HUB_MQTT__EMBEDDED_PORT_V5": "0",
            "HUB_HTTP__PORT": "0",
            "HUB_TCP__WATCH_PORT": "0",
        }

    def command(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(HUB), *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self) -> Json:
        """Gives what /readyz says."""
        log = self.folder / "hub.log"
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(HUB), "serve"], env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

        def ready() -> Json:
            assert self.process is not None
            text = log.read_text(encoding="utf-8")
            assert self.process.poll() is None, text
            found = re.search(r"running on (http://\S+)", text)
            if found is None:
                return {}
            self.base_url = found[1]
            answer: Json = httpx.get(f"{self.base_url}/readyz", timeout=10).json()
            return answer if answer["ready"] else {}

        return wait_until(ready, 60, what="the hub to be ready")

    @property
    def parts(self) -> dict[str, int]:
        """The process ids of database and broker."""
        broker = json.loads((self.folder / "broker" / "broker.json").read_text())
        return {"database": self._postmaster(), "broker": int(broker["pid"])}

    def _postmaster(self) -> int:
        found = list(self.folder.glob("**/postmaster.pid"))
        assert len(found) == 1, found
        return int(found[0].read_text().split("\n", 1)[0])

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)


@pytest.fixture
def own(made_folder: Path) -> Iterator[Own]:
    hub = Own(made_folder)
    try:
        yield hub
    finally:
        hub.end()
        # Ends what a killed hub has left, if anything went wrong in between.
        if hub.process is not None and hub.process.returncode != 0:
            hub.start()
            hub.end()


def test_a_hub_of_ones_own_is_killed_found_again_and_ended(own: Own) -> None:
    state = own.start()
    assert state["embedded"] == ["broker", "database"]
    parts = own.parts
    added = own.command("user", "add", "zhou", "--role", "operator", stdin="long enough\n")
    assert added.returncode == 0, added.stderr

    # Nobody else gets the folder, and is told whose it is.
    assert own.process is not None
    second = own.command("serve")
    assert second.returncode in (1, 2)
    (only,) = second.stderr.strip().splitlines()
    assert "HUB_DATA_DIR" in only
    assert f"process {own.process.pid}" in only

    own.process.kill()
    own.process.wait()
    assert all(alive(pid) for pid in parts.values()), "they outlive their hub"
    own.start()
    assert own.parts == parts, "and the next one finds them"

    headers = {"Sec-Fetch-Site": "same-origin"}
    with ExitStack() as stack:
        desk = stack.enter_context(httpx.Client(base_url=own.base_url, headers=headers, timeout=10))
        answer = desk.post("/api/v1/session", json={"username": "zhou", "password": "long enough"})
        assert answer.status_code == 200, "the account is there"
        streams = [stack.enter_context(listening(desk)) for _ in range(3)]
        for stream in streams:
            stream.wait("hb", lambda _: True)
        began = time.monotonic()
        own.process.send_signal(signal.SIGTERM)
        assert own.process.wait(10) == 0
        assert time.monotonic() - began < 5
        for stream in streams:
            assert stream.ended.wait(1)
    assert not any(alive(pid) for pid in parts.values()), "no child is left"
    log = (own.folder / "hub.log").read_text(encoding="utf-8")
    assert "Traceback" not in log, log
