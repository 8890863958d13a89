"""What ends when a resident is no longer at home, and what does not."""

from __future__ import annotations

from datetime import timedelta

from tests.service.conftest import World


def test_orders_to_come_end_and_a_visit_that_is_on_does_not(world: World) -> None:
    """A carer who finds that the resident must to hospital has a visit to finish, with what was found."""
    desk, courier = world.actors["fanglei"], world.actors["wuqiang"]
    care, dispatching = world.services.care, world.services.dispatching
    now_wanted, later = (
        care.create_order(
            {"kind": "meal_delivery", "resident_id": "R1", "wanted_from": world.now + timedelta(hours=hours)}, desk
        )
        for hours in (1, 5)
    )
    on, to_come = (dispatching.assign_order(order, "S3", desk) for order in (now_wanted, later))
    dispatching.step(on, "accept", courier)
    dispatching.step(to_come, "accept", courier)
    dispatching.step(on, "on-scene", courier)
    care.set_resident_status("R1", "hospital", "collapsed at the door", desk)
    orders = {str(row["id"]): row["state"] for row in world.rows("SELECT id, state FROM orders")}
    assert orders == {now_wanted: "in_service", later: "cancelled"}
    stood_down = world.row("SELECT state, reason FROM assignments WHERE id = %s", to_come)
    assert stood_down == {"state": "stood_down", "reason": "resident hospital"}
    dispatching.step(on, "complete", courier, outcome="aborted", note="ambulance called")
    assert world.row("SELECT state, reason FROM orders WHERE id = %s", now_wanted) == {
        "state": "aborted",
        "reason": "aborted: ambulance called",
    }
    visit = world.row(
        "SELECT state, outcome, ended_at IS NOT NULL AS ended FROM visits WHERE order_id = %s", now_wanted
    )
    assert visit == {"state": "aborted", "outcome": "aborted", "ended": True}
