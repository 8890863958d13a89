"""The profiles the hub brings along: one for each family, with the family's name, for devices that name none.

Intervals are what makers set or documents say; a site's own profiles are made from these (docs/howto/add-a-device.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["BUILT_IN_PROFILES"]

_DAY: Final = 86_400
_NIGHT: Final = {"from": "21:30", "to": "06:30", "after_s": 10 * 3_600}
"""Watches are taken off and charged at night, and many makers let them sleep."""


def _step(zh: str, en: str, value: str | None = None) -> dict[str, str]:
    return {"zh": zh, "en": en} | ({"value": value} if value is not None else {})


_SERVER: Final = _step("服务器地址与端口指向中枢的接入端口", "Point the server address and port at the hub's listener")
_SOS: Final = _step(
    "SOS 号码：第一位设为呼叫中心，其后为家属；保留一个不经平台也能拨通的号码",
    "SOS numbers: the call centre first, then family; keep one that works without any platform",
)
_WEARING: Final = _step("打开佩戴/脱腕检测（如有）", "Turn wearing detection on where the model has it")


def _profile(
    family: str,
    zh: str,
    en: str,
    interval_s: int | None,
    silence: Mapping[str, Any],
    *setup: Mapping[str, str],
    note: str = "",
) -> dict[str, Any]:
    return {
        "id": family,
        "family": family,
        "zh": zh,
        "en": en,
        "model": None,
        "interval_s": interval_s,
        "silence": {"first_report_s": _DAY, **silence},
        "reading": {},
        "setup": [dict(step) for step in setup],
        "note": note or None,
    }


BUILT_IN_PROFILES: Final[Mapping[str, Mapping[str, Any]]] = {
    one["id"]: one
    for one in (
        _profile(
            "care",
            "care/v1 设备",
            "care/v1 device",
            300,
            {},
            _step("上报间隔", "Reporting interval", "300 s"),
            _step('遗嘱消息：up/status {"online": false}，保留', 'Last will: up/status {"online": false}, retained'),
        ),
        _profile(
            "watch",
            "SOS 手表（[3G*] 协议）",
            "SOS watch ([3G*] protocol)",
            300,
            {"charging_s": 4 * 3_600, "night": _NIGHT},
            _SERVER,
            _step("上报间隔 UPLOAD", "Reporting interval UPLOAD", "300"),
            _SOS,
            _WEARING,
            note="LK arrives each minute to five minutes; a watch that gets no answer to LK sends nothing else.",
        ),
        _profile(
            "iw",
            "ThinkRace / IW 手表",
            "ThinkRace / IW watch",
            300,
            {"charging_s": 4 * 3_600, "night": _NIGHT},
            _SERVER,
            _SOS,
            _WEARING,
        ),
        _profile(
            "minifinder2",
            "Eview / MiniFinder 吊坠",
            "Eview / MiniFinder pendant",
            600,
            {"charging_s": 4 * 3_600, "night": _NIGHT},
            _SERVER,
            _step("心跳间隔", "Heartbeat interval", "600 s"),
            _SOS,
        ),
        _profile("gt06", "GT06 定位器", "GT06 tracker", 300, {"charging_s": 4 * 3_600}, _SERVER, _SOS),
        _profile("h02", "H02 定位器", "H02 tracker", 300, {}, _SERVER, _SOS),
        _profile(
            "zigbee2mqtt",
            "Zigbee 传感器（Zigbee2MQTT）",
            "Zigbee sensor (Zigbee2MQTT)",
            None,
            {"after_s": 25 * 3_600},
            _step("在 Zigbee2MQTT 打开 availability", "Turn availability on in Zigbee2MQTT"),
            _step(
                "上游填写网关名称，便于合并断线", "Set `upstream` to the bridge, so that its failure is one incident"
            ),
            note="Battery sensors speak about once a day when all is quiet; 25 h is Zigbee2MQTT's own limit.",
        ),
        _profile(
            "owntracks",
            "手机（OwnTracks）",
            "Phone (OwnTracks)",
            1_800,
            {"after_s": 6 * 3_600, "night": {"from": "21:00", "to": "08:00", "after_s": 14 * 3_600}},
            _step("模式：显著位置变化；发送间隔 30 分钟", "Mode: significant changes; publish every 30 minutes"),
            note="A dozing phone says goodbye every 11 minutes and means nothing by it.",
        ),
        _profile(
            "fall_radar",
            "跌倒雷达",
            "Fall radar",
            120,
            {},
            _step("状态上报间隔", "State interval", "120 s"),
            note="A radar that is silent is blind: no tolerance at night.",
        ),
        _profile("vda5050", "机器人（VDA 5050）", "Robot (VDA 5050)", 30, {}, note="State at least every 30 s."),
        _profile(
            "alink", "阿里云物模型设备", "Alibaba Cloud thing model", 600, {"charging_s": 4 * 3_600, "night": _NIGHT}
        ),
        _profile("onenet", "OneNET 物模型设备", "OneNET thing model", 600, {"charging_s": 4 * 3_600, "night": _NIGHT}),
        _profile("huawei", "华为云 IoTDA 设备", "Huawei Cloud IoTDA", 600, {"charging_s": 4 * 3_600, "night": _NIGHT}),
        _profile(
            "thingsboard", "ThingsBoard 设备", "ThingsBoard device", 600, {"charging_s": 4 * 3_600, "night": _NIGHT}
        ),
    )
}
