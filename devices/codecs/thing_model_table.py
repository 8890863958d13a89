"""Names of thing-model properties and events, as products of Chinese platforms spell them, and what they mean.

A thing model is drawn up for each product, so nothing here is certain: a device's profile goes first, and a name that
stands in neither table stays raw. Names are compared folded: lower case, letters and digits only (`Blood_Oxygen`,
`bloodOxygen`); pinyin and Chinese names are as common as English ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from devices.alarm_types import alarm_type

__all__ = ["ALARM_WORDS", "PROPERTY_NAMES", "alarm_of", "folded"]

_NOT_A_LETTER = re.compile(r"[^a-z0-9\u4e00-\u9fff]")
_ENDINGS = (
    "alarm", "alarms", "alert", "event", "warning", "warn", "report", "notify", "notice", "notification", "trigger",
    "triggered", "detected", "status", "state", "baojing", "gaojing", "报警", "告警", "预警", "事件",
)  # fmt: skip
_ALARMING = ("alarm", "alert", "warn", "emergency", "danger", "baojing", "gaojing", "报警", "告警", "预警")


def folded(name: str) -> str:
    """A name as the tables have it."""
    return _NOT_A_LETTER.sub("", name[:128].lower())


def _table(rows: Mapping[str, str]) -> dict[str, str]:
    return {name: meaning for meaning, names in rows.items() for name in names.split()}


PROPERTY_NAMES: Mapping[str, str] = _table(
    {
        "heart_rate_bpm": "heartrate heartratebpm heart hr pulse pulserate heartbeat bpm xinlv xinlu maibo 心率 脉搏",
        "spo2_pct": "spo2 spo2pct sao2 bloodoxygen bloodoxygensaturation oxygensaturation "
        "oxygen xueyang xueyangbaohedu "
        "血氧 血氧饱和度",
        "systolic_mmhg": "systolic systolicmmhg systolicpressure systolicbloodpressure sbp highpressure bphigh "
        "bloodpressurehigh highbloodpressure shousuoya gaoya 收缩压 高压",
        "diastolic_mmhg": "diastolic diastolicmmhg diastolicpressure diastolicbloodpressure dbp lowpressure bplow "
        "bloodpressurelow lowbloodpressure shuzhangya diya 舒张压 低压",
        "temperature_c": "bodytemp bodytemperature bodytemperaturec tiwen 体温",
        "respiration_rpm": "respiration respirationrate respiratoryrate breath breathrate breathing breathingrate rr "
        "huxi huxilv 呼吸 呼吸率",
        "glucose_mmol_l": "glucose bloodglucose bloodsugar xuetang 血糖",
        "steps": "steps step stepcount stepnumber stepnum totalsteps pedometer bushu 步数",
        "battery_pct": "battery batterypct batterypercentage batterypercent batterylevel batt powerpercentage "
        "powerpercent electricity electricquantity remainingbattery dianliang dianchi 电量",
        "lat": "lat latitude weidu 纬度",
        "lon": "lon lng longitude jingdu 经度",
        "accuracy_m": "accuracy locationaccuracy radius",
        "datum": "coordinatesystem coordsystem coordtype coordinatetype crs datum",
        "wearing": "wear wearing wearstatus wearstate worn iswear peidai peidaizhuangtai 佩戴",
        "blood_pressure": "bloodpressure bp xueya 血压",
        "alarm_code": "alarmtype alarmcode alarm alert alerttype warntype warningtype baojingleixing",
    }
)

ALARM_WORDS: Mapping[str, str] = _table(
    {
        "sos": "sos soscall sosbutton soskey emergency emergencycall emergencyhelp emergencybutton "
        "panic panicbutton help "
        "callforhelp onekeycall onekeyalarm onekeysos qiuzhu qiujiu hujiu yijianhujiao yijianqiuzhu yijianqiujiu "
        "jinjihujiao jinjiqiuzhu 求助 求救 呼救 紧急呼叫 紧急求助 一键呼叫 一键求助 一键呼救",
        "fall": "fall falldown fallen falling falldetect falldetection tumble tumbledown "
        "diedao shuaidao dieluo 跌倒 摔倒",
        "voice_help": "voicehelp voicesos 语音呼救",
        "smoke": "smoke smokedetector smokesensor fire firealarm yanwu yangan huozai 烟雾 烟感 火灾",
        "gas": "gas gasleak gassensor combustiblegas co carbonmonoxide ranqi keranqiti meiqi 燃气 煤气 一氧化碳",
        "water_leak": "waterleak waterleakage leak leakage waterimmersion flood shuijin loushui 水浸 漏水",
        "inactivity": "inactivity noactivity nomovement nomotion longstay wuhuodong 无活动 长时间无活动",
        "heart_rate_high": "heartratehigh highheartrate heartratetoohigh heartrateover hrhigh tachycardia xinlvgao "
        "xinlvguogao 心率过高",
        "heart_rate_low": "heartratelow lowheartrate heartratetoolow hrlow bradycardia xinlvdi xinlvguodi 心率过低",
        "heart_rate_abnormal": "heartrateabnormal abnormalheartrate heartrate hrabnormal xinlvyichang 心率异常",
        "spo2_low": "spo2low lowspo2 spo2 bloodoxygenlow lowbloodoxygen bloodoxygen oxygenlow xueyangdi xueyangguodi "
        "xueyangyichang 血氧过低",
        "blood_pressure_high": "bloodpressurehigh highbloodpressure bphigh hypertension xueyagao xueyaguogao 血压过高",
        "blood_pressure_low": "bloodpressurelow lowbloodpressure bplow hypotension xueyadi xueyaguodi 血压过低",
        "fever": "fever temperaturehigh hightemperature bodytemperaturehigh highbodytemperature bodytemphigh fashao "
        "tiwengao tiwenguogao 发烧 体温过高",
        "bed_exit": "bedexit leavebed leftbed outofbed offbed lichuang 离床",
        "medication_missed": "medicationmissed missedmedication louyao 漏服",
        "wandering": "wander wandering fenceout outfence outoffence leavefence exitfence fenceexit fenceleave "
        "geofenceexit geofenceout geofenceleave exitgeofence leavegeofence outarea outofarea leavearea zoushi "
        "chuweilan lijieweilan 走失 出围栏 离开围栏 越界",
        "geofence_enter": "fencein infence enterfence fenceenter geofenceenter geofencein "
        "entergeofence jinweilan 进围栏",
        "door": "dooropen opendoor doornotclosed menweiguan",
        "low_battery": "lowbattery batterylow batterylowpower lowpower lowelectricity lowvoltage didianliang "
        "dianliangdi dianliangguodi 低电量 低电",
        "power_off": "poweroff shutdown turnoff guanji 关机",
        "power_fail": "powerfail powerfailure poweroutage powercut acfail duandian 断电",
        "device_fault": "fault devicefault devicefailure failure malfunction error guzhang 故障",
        "off_wrist": "offwrist takeoff takenoff notworn unwear unworn deviceremoved wearoff "
        "strapoff tuoluo zhaixia 脱落",
        "tamper": "tamper tampered temper dismantle fangchai chaichu 防拆",
        "offline": "offline lixian",
        "test_call": "test testcall selftest ceshi",
    }
)
"""Event identifiers, and properties that are on or off."""


def alarm_of(name: str) -> str | None:
    """The alarm an event of this name is: `SosAlarm`, `fall_detected`, `跌倒报警`.

    "assistance" where the name only says that it is an alarm; None where it does not even say that.
    """
    whole = folded(name)
    found = ALARM_WORDS.get(whole) or alarm_type(name)
    short = whole
    while found is None:
        ending = next((ending for ending in _ENDINGS if short.endswith(ending) and short != ending), None)
        if ending is None:
            break
        short = short.removesuffix(ending)
        found = ALARM_WORDS.get(short)
    if found is None and any(part in whole for part in _ALARMING):
        return "assistance"
    return found
