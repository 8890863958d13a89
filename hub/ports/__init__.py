"""Protocols between the floors. Use cases speak to these; hub.app plugs the concrete parts in."""

from __future__ import annotations

from hub.ports import (
    commands,
    database,
    day_plans,
    desk,
    everyday,
    home,
    integrations,
    load,
    matters,
    meals,
    medical,
    notices,
    path_tests,
    plans,
    provisioning,
    reads,
    records,
    register,
    report_lists,
    responders,
    rota,
    rules,
    service_reports,
    settlement,
    situation,
    supervision,
    technical,
    time_bank,
    windows,
)
from hub.ports.commands import *  # noqa: F403
from hub.ports.database import *  # noqa: F403
from hub.ports.day_plans import *  # noqa: F403
from hub.ports.desk import *  # noqa: F403
from hub.ports.everyday import *  # noqa: F403
from hub.ports.home import *  # noqa: F403
from hub.ports.integrations import *  # noqa: F403
from hub.ports.load import *  # noqa: F403
from hub.ports.matters import *  # noqa: F403
from hub.ports.meals import *  # noqa: F403
from hub.ports.medical import *  # noqa: F403
from hub.ports.notices import *  # noqa: F403
from hub.ports.path_tests import *  # noqa: F403
from hub.ports.plans import *  # noqa: F403
from hub.ports.provisioning import *  # noqa: F403
from hub.ports.reads import *  # noqa: F403
from hub.ports.records import *  # noqa: F403
from hub.ports.register import *  # noqa: F403
from hub.ports.report_lists import *  # noqa: F403
from hub.ports.responders import *  # noqa: F403
from hub.ports.rota import *  # noqa: F403
from hub.ports.rules import *  # noqa: F403
from hub.ports.service_reports import *  # noqa: F403
from hub.ports.settlement import *  # noqa: F403
from hub.ports.situation import *  # noqa: F403
from hub.ports.supervision import *  # noqa: F403
from hub.ports.technical import *  # noqa: F403
from hub.ports.time_bank import *  # noqa: F403
from hub.ports.windows import *  # noqa: F403

__all__: list[str] = []
__all__ += commands.__all__
__all__ += database.__all__
__all__ += day_plans.__all__
__all__ += desk.__all__
__all__ += everyday.__all__
__all__ += home.__all__
__all__ += integrations.__all__
__all__ += load.__all__
__all__ += matters.__all__
__all__ += meals.__all__
__all__ += medical.__all__
__all__ += notices.__all__
__all__ += plans.__all__
__all__ += path_tests.__all__
__all__ += provisioning.__all__
__all__ += reads.__all__
__all__ += records.__all__
__all__ += report_lists.__all__
__all__ += register.__all__
__all__ += responders.__all__
__all__ += rota.__all__
__all__ += rules.__all__
__all__ += service_reports.__all__
__all__ += settlement.__all__
__all__ += situation.__all__
__all__ += supervision.__all__
__all__ += technical.__all__
__all__ += time_bank.__all__
__all__ += windows.__all__
