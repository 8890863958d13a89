"""A hub in the shadow of another centre decides as ever and calls nobody."""

from __future__ import annotations

from tests.service.conftest import open_world


def test_nobody_is_called_and_it_is_said(database_url: str) -> None:
    with open_world(database_url, shadow=True) as world:
        world.press("W1", "sos")
        world.wait(200)
        assert world.row("SELECT state FROM incidents")["state"] == "open"
        assert world.rows("SELECT * FROM assignments") == []
        said = world.rows("SELECT body FROM timeline WHERE kind = 'escalated' ORDER BY seq")
        assert any("shadow" in row["body"]["reason"] for row in said), "the record says that it would have called"
