"""Channels: one module a way to reach people. `hub.notify.chat` is imported only where chat or mail is set up."""

from __future__ import annotations

from hub.notify.limits import calls_a_minute, messages_a_minute
from hub.notify.push import PushOutlet, VapidKey
from hub.notify.signing import signed_headers, verified
from hub.notify.sms import GenericSms, SmsPlan
from hub.notify.sms_aliyun import AliyunSms
from hub.notify.sms_tencent import TencentSms
from hub.notify.voice import VoicePlan
from hub.notify.voice_ami import AmiVoice
from hub.notify.voice_asterisk import AriVoice
from hub.notify.voice_cloud import CloudVoice
from hub.notify.voice_freeswitch import FreeswitchVoice
from hub.notify.webhook import WebhookOutlet

__all__ = [
    "AliyunSms",
    "AmiVoice",
    "AriVoice",
    "CloudVoice",
    "FreeswitchVoice",
    "GenericSms",
    "PushOutlet",
    "SmsPlan",
    "TencentSms",
    "VapidKey",
    "VoicePlan",
    "WebhookOutlet",
    "calls_a_minute",
    "messages_a_minute",
    "signed_headers",
    "verified",
]
