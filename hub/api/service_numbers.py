"""What each number of the service reports means, in both languages: shown beside it and kept with what is handed on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = ["MEANINGS", "Meaning"]


class Meaning(NamedTuple):
    """`report`: in which it stands; `list`: whether a list opens behind it."""

    report: str
    zh: str
    en: str
    zh_means: str
    en_means: str
    list: bool = True


MEANINGS: Final[Mapping[str, Meaning]] = {
    "orders": Meaning(
        "orders",
        "工单",
        "Orders",
        "时段内应提供的服务，不含已取消与设备维修",
        "Services wanted in the span, without cancelled ones and repairs of devices",
    ),
    "cancelled": Meaning(
        "orders",
        "已取消",
        "Cancelled",
        "由人、计划、暂停或老人状态取消",
        "By a person, a plan, a pause or the resident's status",
    ),
    "due": Meaning(
        "orders",
        "应已开始",
        "Due",
        "最晚开始时间已过",
        "The latest time to begin is over",
    ),
    "served": Meaning(
        "orders",
        "已完成",
        "Done",
        "已签退的服务",
        "Services that were completed",
    ),
    "begun": Meaning(
        "orders",
        "已开始",
        "Begun",
        "有开始时间的服务（到达签到的时间；以已告知的时段为准，未告知的以预约时段为准）",
        "Services with a begin (by check-in, against the promised window where one was given, else the wanted one)",
    ),
    "on_time": Meaning(
        "orders",
        "准时",
        "On time",
        "不早于时段 15 分钟、不晚于时段 15 分钟开始；占已开始的比例即准时率",
        "Begun no more than 15 min before and less than 15 min after the window; as a share of those begun it "
        "is the punctuality",
    ),
    "early": Meaning(
        "orders",
        "过早",
        "Early",
        "早于时段 15 分钟以上开始",
        "Begun more than 15 min before the window",
    ),
    "late_15": Meaning(
        "orders",
        "迟到 15 分钟",
        "15 min late",
        "晚 15 至 30 分钟开始",
        "Begun 15 to 30 min after the window",
    ),
    "late_30": Meaning(
        "orders",
        "迟到 30 分钟",
        "30 min late",
        "晚 30 至 60 分钟开始",
        "Begun 30 to 60 min after the window",
    ),
    "late_60": Meaning(
        "orders",
        "迟到 60 分钟",
        "60 min late",
        "晚 60 分钟以上才开始",
        "Begun an hour or more after the window",
    ),
    "missed": Meaning(
        "orders",
        "漏服",
        "Missed",
        "时段结束 60 分钟后仍未开始",
        "Not begun an hour after the window",
    ),
    "waiting": Meaning(
        "orders",
        "逾时未到",
        "Overdue",
        "时段已过、尚未满 60 分钟且未开始",
        "The window is over for less than an hour, and it has not begun",
    ),
    "aborted": Meaning(
        "orders",
        "中止",
        "Broken off",
        "到场后未能完成，含无人应答",
        "Not completed at the door, nobody in included",
    ),
    "rated": Meaning(
        "orders",
        "已评价",
        "Rated",
        "老人、家属或回访给出的评分",
        "With a score by resident, family or telephone",
    ),
    "content": Meaning(
        "orders",
        "满意",
        "Content",
        "4 分及以上；占已评价的比例即满意率",
        "4 points and more; as a share of those rated it is the satisfaction",
    ),
    "discontent": Meaning(
        "orders",
        "不满意",
        "Not content",
        "2 分及以下",
        "2 points and less",
    ),
    "complaints": Meaning(
        "orders",
        "投诉",
        "Complaints",
        "评价中提出投诉",
        "A complaint with the rating",
    ),
    "score": Meaning(
        "orders",
        "平均分",
        "Mean score",
        "1 至 5 分",
        "1 to 5 points",
        list=False,
    ),
    "entitled": Meaning(
        "coverage",
        "有待遇",
        "Entitled",
        "时段内有补贴、长护险、慈善或家庭付费额度的老人",
        "Residents for whom subsidy, insurance, charity or family pays in the span",
    ),
    "planned": Meaning(
        "coverage",
        "有照护计划",
        "With a care plan",
        "时段内有生效的照护计划的老人",
        "Residents with a care plan in force",
    ),
    "wanted": Meaning(
        "coverage",
        "应服务",
        "To be served",
        "有待遇或有照护计划的老人",
        "Residents who are entitled or have a plan",
    ),
    "covered": Meaning(
        "coverage",
        "已覆盖",
        "Covered",
        "应服务的老人中至少完成一次服务；占应服务的比例即覆盖率",
        "Of those to be served: with one service done at least; as a share it is the coverage",
    ),
    "uncovered": Meaning(
        "coverage",
        "未覆盖",
        "Not covered",
        "应服务而时段内没有一次完成",
        "To be served and not served once",
    ),
    "besides": Meaning(
        "coverage",
        "其他",
        "Besides",
        "没有待遇和计划而得到服务的老人",
        "Served without being entitled or having a plan",
    ),
    "repeated": Meaning(
        "continuity",
        "两次以上",
        "Twice and more",
        "时段内完成两次以上入户服务的老人（不含送餐、代办）",
        "Residents with two completed visits at home or more, meals and errands aside",
    ),
    "by_regular": Meaning(
        "continuity",
        "固定人员",
        "By a regular carer",
        "由固定人员完成的次数；未指定的以来得最多的人计；占总次数的比例即连续性",
        "Visits by whoever is named as regular, else by whoever came most often; as a share of the visits it "
        "is the continuity",
        list=False,
    ),
    "by_others": Meaning(
        "continuity",
        "有他人上门",
        "Also by others",
        "并非每次都由固定人员服务的老人",
        "Residents to whom others came as well",
    ),
    "many": Meaning(
        "continuity",
        "人员过多",
        "Many faces",
        "四名及以上不同人员上门的老人",
        "Residents with four different people or more",
    ),
    "carers": Meaning(
        "continuity",
        "不同人员",
        "Different people",
        "每位老人接触的不同人员数：平均、中位、P90",
        "Different people a resident: mean, median, P90",
        list=False,
    ),
    "travel_share": Meaning(
        "travel",
        "路途占比",
        "Travel share",
        "已发布排程中路途时间占路途与服务时间之和",
        "Minutes on the way, of those on the way and at people's places; of published plans",
    ),
    "routes": Meaning(
        "travel",
        "路线",
        "Routes",
        "已发布排程中的一人一天；一条路线按停靠点分摊到各区域",
        "A person's day in a published plan; its time is divided among areas by its stops",
        list=False,
    ),
    "members": Meaning(
        "programme",
        "对象",
        "On the programme",
        "本月在册的探访对象",
        "People on the programme this month",
    ),
    "visited": Meaning(
        "programme",
        "已探访",
        "Visited",
        "本月至少探访一次",
        "Visited once this month at least",
    ),
    "not_yet": Meaning(
        "programme",
        "未探访",
        "Not yet",
        "本月尚未探访",
        "Not visited this month",
    ),
    "behind": Meaning(
        "programme",
        "次数未满",
        "Behind",
        "已探访但少于应访次数",
        "Visited, and less often than wanted",
    ),
}
"""Name of a number -> what it is."""
