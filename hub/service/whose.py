"""Whose an order is, and who may have it: the one rule for plans, claiming, the desk's pages and settlement.

*Whose a person is*: the organisation on the person's own record, else that of the person's station. It is asked of the
database alone (`provider_of_responder`), so that rows, reports and rules cannot differ; `Responders.provider_of`,
`DayCarer.provider_id` and every read by provider come from there.
*Whose an order is*: `orders.provider_id`, kept by the database: that of whoever it is given to, and of its station from
the start.
"""

from __future__ import annotations

__all__ = ["may_have"]


def may_have(order_provider_id: str | None, provider_id: str | None) -> bool:
    """Whether somebody of this provider (None: of none) may have an order: one of a provider is for its people alone.

    Only the district's desk may give it to others; then it becomes theirs.
    """
    return order_provider_id is None or order_provider_id == provider_id
