"""Settings: environment before file, every mistake named in one line, no secret repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.errors import SettingError
from hub.settings import Settings, load_settings, parse_mqtt_url

SECRET = "s3cr3t-word"


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.upper().startswith("HUB_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_the_contract_s_defaults_hold() -> None:
    settings = load_settings()
    assert settings == Settings()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert (settings.mqtt.embedded_port, settings.mqtt.embedded_port_v5) == (1883, 1884)
    assert (settings.tcp.host, settings.tcp.watch_port) == ("127.0.0.1", None)
    assert settings.database.url is settings.mqtt.url is None
    assert settings.supervision.sample == 0.05
    assert settings.incidents.lease_seconds == 120


def test_environment_before_file_before_defaults(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_place / "hub.toml").write_text('[http]\nhost = "0.0.0.0"\nport = 1\n[tcp]\nhost = "10.0.0.1"\n')
    monkeypatch.setenv("HUB_HTTP__PORT", "2")
    settings = load_settings(defaults={"tcp": {"watch_port": 3, "host": "10.0.0.2"}, "data_dir": "elsewhere"})
    assert (settings.http.host, settings.http.port) == ("0.0.0.0", 2)
    assert (settings.tcp.host, settings.tcp.watch_port) == ("10.0.0.1", 3)
    assert settings.data_dir == Path("elsewhere")


def test_the_file_may_be_named(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, port in (("a.toml", 1), ("b.toml", 2)):
        (clean_place / name).write_text(f"[http]\nport = {port}\n")
    monkeypatch.setenv("HUB_CONFIG", "a.toml")
    assert load_settings().http.port == 1
    assert load_settings(Path("b.toml")).http.port == 2


def test_an_empty_value_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE__URL", "")
    assert load_settings().database.url is None


def test_lists_are_separated_by_commas(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_HTTP__TRUSTED_PROXIES", "10.0.0.7, 192.168.0.0/16")
    assert load_settings().http.trusted_proxies == ("10.0.0.7/32", "192.168.0.0/16")
    monkeypatch.delenv("HUB_HTTP__TRUSTED_PROXIES")
    (clean_place / "hub.toml").write_text('[http]\ntrusted_proxies = ["::1"]\n')
    assert load_settings().http.trusted_proxies == ("::1/128",)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"HUB_HTP__PORT": "1"}, "HUB_HTP__PORT: there is no such setting; did you mean HUB_HTTP__PORT?"),
        ({"HUB_HTTP__PRT": "1"}, "HUB_HTTP__PRT: there is no such setting; did you mean HUB_HTTP__PORT?"),
        ({"HUB_SOMETHING": "1"}, "HUB_SOMETHING: there is no such setting"),
        ({"HUB_HTTP": "1"}, "HUB_HTTP: is a section"),
        ({"HUB_HTTP__PORT": "http"}, "HUB_HTTP__PORT: should be a valid integer"),
        ({"HUB_HTTP__PORT": "70000"}, "HUB_HTTP__PORT: should be less than or equal to 65535"),
        ({"HUB_LOG__LEVEL": "loud"}, "HUB_LOG__LEVEL: should be 'debug', 'info', 'warning' or 'error'"),
        ({"HUB_DATABASE__URL": f"mysql://u:{SECRET}@h/d"}, "HUB_DATABASE__URL: must begin with postgresql://"),
        ({"HUB_DATABASE__URL": f"postgresql://u:{SECRET}@h"}, "HUB_DATABASE__URL: names no database"),
        ({"HUB_DATABASE__URL": f"postgresql://u:{SECRET}@/d"}, "HUB_DATABASE__URL: names no host"),
        ({"HUB_DATABASE__URL": f"postgresql://u:{SECRET}/x@h/d"}, "HUB_DATABASE__URL: is not a URL"),
        ({"HUB_DATABASE__POOL_MIN": "20"}, "HUB_DATABASE__POOL_MIN: must not be more than HUB_DATABASE__POOL_MAX"),
        ({"HUB_MQTT__URL": f"tcp://u:{SECRET}@h"}, "HUB_MQTT__URL: must begin with mqtt:// or mqtts://"),
        ({"HUB_MQTT__URL": f"mqtt://u:{SECRET}@"}, "HUB_MQTT__URL: names no host"),
        ({"HUB_MQTT__URL": f"mqtt://u:{SECRET}@h:99999"}, "HUB_MQTT__URL: is not a URL"),
        ({"HUB_MQTT__CA_FILE": "no-such.pem"}, "HUB_MQTT__CA_FILE: cannot read the file: No such file"),
        ({"HUB_MQTT__CERT_FILE": "there.pem"}, "HUB_MQTT__KEY_FILE: is missing"),
        ({"HUB_MQTT__URL": "mqtt://h", "HUB_MQTT__CA_FILE": "there.pem"}, "HUB_MQTT__CA_FILE: is used with"),
        ({"HUB_MQTT__NODES": "2", "HUB_MQTT__NODE": "2"}, "HUB_MQTT__NODE: counts from 0 and must be less than"),
        ({"HUB_MQTT__USER_PER_CONNECTION": "true"}, "HUB_MQTT__USER_PER_CONNECTION: needs a user name"),
        ({"HUB_MQTT__EMBEDDED_PORT_V5": "1883"}, "HUB_MQTT__EMBEDDED_PORT_V5: must differ"),
        ({"HUB_HTTP__TLS_KEY": "there.pem"}, "HUB_HTTP__TLS_CERT: is missing"),
        ({"HUB_HTTP__TRUSTED_PROXIES": "proxy.example"}, "HUB_HTTP__TRUSTED_PROXIES: expected addresses"),
        ({"HUB_CONFIG": "no-such.toml"}, "HUB_CONFIG: there is no file no-such.toml"),
        ({"HUB_CONFIG": "broken.toml"}, "HUB_CONFIG: broken.toml is not TOML, at line 2"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    clean_place: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], message: str
) -> None:
    (clean_place / "there.pem").write_text("a certificate")
    (clean_place / "broken.toml").write_text(f'[database]\nurl = "postgresql://u:{SECRET}\n')
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as wrong:
        load_settings()
    assert str(wrong.value).startswith(message)
    assert "\n" not in str(wrong.value)
    assert SECRET not in str(wrong.value)
    assert wrong.value.__cause__ is None, "the cause would show the value"


def test_a_wrong_line_of_the_file_has_the_same_name(clean_place: Path) -> None:
    (clean_place / "hub.toml").write_text('[http]\nport = "many"\n[htp]\nhost = "x"\n')
    with pytest.raises(SettingError, match=r"HUB_HTTP__PORT: should be a valid integer.*HUB_HTP: there is no such"):
        load_settings()


def test_passwords_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_DATABASE__URL", f"postgresql://u:{SECRET}@h/d")
    monkeypatch.setenv("HUB_MQTT__URL", f"mqtts://u:{SECRET}@h")
    settings = load_settings()
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.mqtt.url is not None
    address = parse_mqtt_url(settings.mqtt.url.get_secret_value())
    assert SECRET not in repr(address)
    assert (address.host, address.port, address.tls, address.username, address.password) == (
        "h",
        8883,
        True,
        "u",
        SECRET,
    )


def test_a_broker_s_url_is_taken_apart() -> None:
    assert parse_mqtt_url("mqtt://hub:p%40ss%2Fword@[::1]:1884").password == "p@ss/word"
    assert parse_mqtt_url("mqtt://[::1]").host == "::1"
    assert parse_mqtt_url("mqtt://broker.example").port == 1883
