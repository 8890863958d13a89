"""What a site's Mosquitto lets devices do, tried with clients of other people's making.

The password file is the hub's own work, the rules are deploy/mosquitto, the clients are Debian's mosquitto_pub and
mosquitto_sub and mqtt.js from npm.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from hub.bridge.password_file import PasswordFile
from hub.service.credentials import broker_hash, fits
from tests.fixtures.brokers import MosquittoBroker, running_mosquitto
from tests.fixtures.certificates import Authority
from tests.fixtures.ports import lasting_port
from tests.waiting import wait_until

SECRETS = {name: f"secret-of-{name}" for name in ("A-1", "B-2", "C-3")}
CLIENT = Path(__file__).parents[1] / "clients" / "mqttjs"


def keep(broker: MosquittoBroker, *, without: tuple[str, ...] = ()) -> None:
    """What the hub does after a change."""
    lines = {name: None if name in without else broker_hash(secret) for name, secret in SECRETS.items()}
    PasswordFile(broker.password_file, broker.pid_file).keep(lines)


@pytest.fixture(scope="module")
def authority() -> Iterator[Authority]:
    folder = Path(tempfile.mkdtemp(prefix="care-hub-ca-"))
    try:
        yield Authority(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def tls_port() -> int:
    return lasting_port()


@pytest.fixture(scope="module")
def broker(authority: Authority, tls_port: int) -> Iterator[MosquittoBroker]:
    """A site's broker with a second listener for devices that bring a certificate."""
    certificate, key = authority.issue("broker", server=True)
    os.chmod(key, 0o644)
    more = "\n".join(
        (
            f"listener {tls_port} 127.0.0.1",
            f"certfile {certificate}",
            f"keyfile {key}",
            f"cafile {authority.certificate}",
            "tls_version tlsv1.2",
            "require_certificate true",
            "use_identity_as_username true",
            "use_username_as_clientid true",
            "",
        )
    )
    with running_mosquitto(more) as broker:
        keep(broker)
        wait_until(lambda: publish(broker, "A-1", "care/v1/A-1/up/status").returncode == 0, what="the new devices")
        yield broker


def run(*words: str, seconds: float = 10) -> subprocess.CompletedProcess[str]:
    program = shutil.which(words[0])
    if program is None:
        pytest.skip(f"{words[0]} is not installed (Debian: apt-get install mosquitto-clients)")
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, timeout=seconds, check=False)


def signed_in(broker: MosquittoBroker, user: str, secret: str | None = None) -> list[str]:
    word = SECRETS.get(user, "") if secret is None else secret
    return ["-h", "127.0.0.1", "-p", str(broker.port), "-i", user, "-u", user, "-P", word]


def publish(
    broker: MosquittoBroker, user: str, topic: str, *, secret: str | None = None, more: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """mosquitto_pub at QoS 1 over MQTT 5: the broker's refusal comes back as a reason."""
    body = '{"ref": "p1", "type": "sos"}'
    words = ["mosquitto_pub", *signed_in(broker, user, secret), "-V", "5", "-q", "1", "-t", topic, "-m", body, *more]
    return run(*words)


class Listener:
    """The hub's eyes: everything anybody manages to publish."""

    def __init__(self, broker: MosquittoBroker) -> None:
        self.got: list[tuple[str, bytes]] = []
        url = broker.url_of("hub")
        password = url.partition("hub:")[2].rpartition("@")[0]
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="hub")
        self._client.username_pw_set("hub", password)
        self._client.on_message = lambda _client, _data, message: self.got.append((message.topic, message.payload))
        subscribed: list[bool] = []
        self._client.on_subscribe = lambda *_: subscribed.append(True)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        wait_until(lambda: subscribed, what="the hub's subscription")

    def topics(self) -> list[str]:
        return [topic for topic, _ in list(self.got)]

    def say(self, topic: str, body: str) -> None:
        self._client.publish(topic, body, qos=1).wait_for_publish(5)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def hub(broker: MosquittoBroker) -> Iterator[Listener]:
    listener = Listener(broker)
    yield listener
    listener.close()


def test_the_hash_is_the_one_mosquitto_makes(broker: MosquittoBroker) -> None:
    line = next(one for one in broker.password_file.read_text().splitlines() if one.startswith("hub-alarm:"))
    secret = broker.url_of("hub").partition("hub:")[2].rpartition("@")[0]
    assert fits(secret, line.partition(":")[2])
    assert not fits(secret + "x", line.partition(":")[2])
    assert not fits(secret, "$6$abc$def")
    assert fits("word", broker_hash("word"))


def test_a_device_writes_its_own_uplinks_and_nobody_elses(broker: MosquittoBroker, hub: Listener) -> None:
    assert publish(broker, "A-1", "care/v1/A-1/up/alarm").returncode == 0
    other = ("care/v1/B-2/up/alarm", "care/v1/A-1/down/ack", "care/v1/B-2/down/ack", "zigbee2mqtt/x", "$SYS/x")
    for topic in (*other, "hub/v1/provisional/x/state"):
        refused = publish(broker, "A-1", topic)
        assert "not authorized" in (refused.stdout + refused.stderr).lower(), topic
    wait_until(lambda: "care/v1/A-1/up/alarm" in hub.topics(), what="the device's own press")
    assert set(hub.topics()) == {"care/v1/A-1/up/alarm"}


def test_a_device_reads_its_own_downlinks_and_nobody_elses(broker: MosquittoBroker, hub: Listener) -> None:
    words = [*signed_in(broker, "A-1"), "-q", "1", "-v", "-W", "4", "-C", "1"]
    topics = [
        part
        for topic in ("care/v1/B-2/down/#", "care/v1/+/down/#", "#", "hub/v1/provisional/#", "care/v1/A-1/down/#")
        for part in ("-t", topic)
    ]
    program = shutil.which("mosquitto_sub")
    if program is None:
        pytest.skip("mosquitto_sub is not installed (Debian: apt-get install mosquitto-clients)")
    listening = subprocess.Popen([program, *words, *topics], stdout=subprocess.PIPE, text=True)
    try:

        def told() -> bool:
            hub.say("care/v1/B-2/down/ack", "for B")
            hub.say("hub/v1/provisional/x/news", "for the hub")
            hub.say("care/v1/A-1/down/ack", "for A")
            return listening.poll() is not None

        wait_until(told, 8, what="the device to hear something")
        out, _ = listening.communicate(timeout=5)
    finally:
        listening.kill()
        listening.wait()
    assert out == "care/v1/A-1/down/ack for A\n"


@pytest.mark.parametrize("user", ["hub-dark", "hub-console"])
def test_what_the_hub_tells_itself_is_all_these_users_may_write(
    broker: MosquittoBroker, hub: Listener, user: str
) -> None:
    secret = broker.url_of(user).partition(f"{user}:")[2].rpartition("@")[0]
    refused = publish(broker, user, "care/v1/A-1/up/alarm", secret=secret)
    assert "not authorized" in (refused.stdout + refused.stderr).lower()
    assert publish(broker, user, "hub/v1/provisional/x/news", secret=secret).returncode == 0
    wait_until(lambda: hub.topics() == ["hub/v1/provisional/x/news"], what="the hub's own word")


def test_nobody_signs_in_with_anothers_word_or_takes_the_hubs_client_id(broker: MosquittoBroker, hub: Listener) -> None:
    for user, secret in (("A-1", SECRETS["B-2"]), ("A-1", ""), ("nobody", "x"), ("hub-alarm", SECRETS["A-1"])):
        refused = publish(broker, user, f"care/v1/{user}/up/alarm", secret=secret)
        assert refused.returncode != 0, user
    # The client id is what the user name is: asking for the hub's changes nothing, and its session lives.
    asked = publish(broker, "A-1", "care/v1/A-1/up/alarm", more=("-i", "hub"))
    assert asked.returncode == 0
    asked = publish(broker, "A-1", "care/v1/hub/up/alarm", more=("-i", "hub"))
    assert "not authorized" in (asked.stdout + asked.stderr).lower()
    before = len(hub.got)
    publish(broker, "A-1", "care/v1/A-1/up/alarm")
    wait_until(lambda: len(hub.got) > before, what="the hub's session to be alive")


def test_a_revoked_device_is_thrown_out_at_once_and_the_others_stay(broker: MosquittoBroker) -> None:
    ended: dict[str, bool] = {}
    clients: list[paho.Client] = []
    try:
        for name in ("B-2", "C-3"):
            client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name)
            client.username_pw_set(name, SECRETS[name])
            client.on_connect = lambda _client, device, *_: ended.setdefault(str(device), False)
            client.on_disconnect = lambda _client, device, *_: ended.update({str(device): True})
            client.user_data_set(name)
            client.connect("127.0.0.1", broker.port)
            client.loop_start()
            clients.append(client)
        wait_until(lambda: len(ended) == 2, what="both devices")
        keep(broker, without=("C-3",))
        wait_until(lambda: ended["C-3"], what="the revoked device to be thrown out")
        assert not ended["B-2"]
        assert publish(broker, "C-3", "care/v1/C-3/up/alarm").returncode != 0
        assert publish(broker, "A-1", "care/v1/A-1/up/alarm").returncode == 0
    finally:
        for client in clients:
            client.disconnect()
            client.loop_stop()
        keep(broker)


def test_the_lines_of_others_stay_and_nothing_is_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("hub-alarm:$7$101$a$b\nA-1:old\ngateway:$7$101$c$d\n")
    file.chmod(0o600)
    keeper = PasswordFile(file)
    assert keeper.keep({"A-1": "new", "B-2": None, "D-4": "h4"})
    assert file.read_text().splitlines() == ["hub-alarm:$7$101$a$b", "gateway:$7$101$c$d", "A-1:new", "D-4:h4"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert not keeper.keep({"A-1": "new", "B-2": None, "D-4": "h4"})
    assert [one.name for one in tmp_path.iterdir()] == ["passwords"]


def tls_words(authority: Authority, port: int, name: str) -> list[str]:
    certificate, key = authority.issue(name)
    return [
        *("-h", "127.0.0.1", "-p", str(port), "-i", name, "--cafile", str(authority.certificate)),
        *("--cert", str(certificate), "--key", str(key)),
    ]


def test_a_certificate_is_a_device(hub: Listener, authority: Authority, tls_port: int) -> None:
    words = tls_words(authority, tls_port, "T-9")
    message = ("-V", "5", "-q", "1", "-m", '{"ref": "t1", "type": "sos"}', "-t")
    own = run("mosquitto_pub", *words, *message, "care/v1/T-9/up/alarm")
    assert own.returncode == 0, own.stderr
    wait_until(lambda: "care/v1/T-9/up/alarm" in hub.topics(), what="the press over TLS")
    other = run("mosquitto_pub", *words, *message, "care/v1/A-1/up/alarm")
    assert "not authorized" in (other.stdout + other.stderr).lower()
    # A user name in the packet does not count: the certificate says who it is.
    posing = run("mosquitto_pub", *words, "-u", "A-1", "-P", SECRETS["A-1"], *message, "care/v1/A-1/up/alarm")
    assert "not authorized" in (posing.stdout + posing.stderr).lower()
    without = run("mosquitto_pub", *words[: words.index("--cert")], *message, "care/v1/T-9/up/alarm")
    assert without.returncode != 0


def test_a_certificate_of_another_authority_is_nobody(
    broker: MosquittoBroker, authority: Authority, tls_port: int, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path)
    certificate, key = stranger.issue("A-1")
    refused = run(
        *("mosquitto_pub", "-h", "127.0.0.1", "-p", str(tls_port), "-i", "A-1", "--cafile", str(authority.certificate)),
        *("--cert", str(certificate), "--key", str(key), "-q", "1", "-t", "care/v1/A-1/up/alarm", "-m", "{}"),
    )
    assert refused.returncode != 0
    assert broker.log


@pytest.fixture(scope="module")
def mqttjs() -> Iterator[Path]:
    """mqtt.js, installed from its lock file."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        pytest.skip("npm is not installed: mqtt.js cannot be tried")
    folder = Path(tempfile.mkdtemp(prefix="care-hub-mqttjs-"))
    try:
        for name in ("package.json", "package-lock.json", "press.mjs", ".npmrc"):
            shutil.copy(CLIENT / name, folder / name)
        installed = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        if installed.returncode != 0:
            pytest.skip(f"mqtt.js could not be installed: {installed.stderr.strip()[-200:]}")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def press_js(mqttjs: Path, url: str, device: str, write: str, read: str, **given: object) -> list[dict[str, object]]:
    options = mqttjs / "options.json"
    options.write_text(json.dumps({"wait_ms": 1500, **given}))
    done = run("node", str(mqttjs / "press.mjs"), url, device, write, read, str(options), seconds=20)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("version", [4, 5])
def test_mqttjs_is_a_device_like_any_other(broker: MosquittoBroker, hub: Listener, mqttjs: Path, version: int) -> None:
    url = f"mqtt://127.0.0.1:{broker.port}"
    own = ("A-1", "care/v1/A-1/up/alarm", "care/v1/A-1/down/#")
    said = press_js(mqttjs, url, *own, password=SECRETS["A-1"], version=version)
    assert [one["what"] for one in said] == ["connected", "subscribed", "published"]
    wait_until(lambda: "care/v1/A-1/up/alarm" in hub.topics(), what="the press of mqtt.js")
    others = press_js(
        mqttjs, url, "A-1", "care/v1/B-2/up/alarm", "care/v1/B-2/down/#", password=SECRETS["A-1"], version=version
    )
    assert "care/v1/B-2/up/alarm" not in hub.topics()
    assert not [one for one in others if one["what"] == "message"]
    wrong = press_js(mqttjs, url, *own, password="wrong", version=version)
    assert wrong[0]["what"] == "error"


def test_mqttjs_with_a_client_certificate(
    broker: MosquittoBroker, hub: Listener, mqttjs: Path, authority: Authority, tls_port: int
) -> None:
    certificate, key = authority.issue("J-7")
    files = {"ca": str(authority.certificate), "cert": str(certificate), "key": str(key)}
    url = f"mqtts://127.0.0.1:{tls_port}"
    said = press_js(mqttjs, url, "J-7", "care/v1/J-7/up/alarm", "care/v1/J-7/down/#", **files)
    assert [one["what"] for one in said] == ["connected", "subscribed", "published"], broker.log
    wait_until(lambda: "care/v1/J-7/up/alarm" in hub.topics(), what="the press over TLS")
