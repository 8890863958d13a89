"""Several journals are one to the pages: their states add up, their alarms go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hub.feed import DarkBoard, FeedEvent
from hub.ports.dark import DarkState

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
EARLIER = NOON - timedelta(minutes=3)


class Page:
    """What pages are told."""

    def __init__(self, board: DarkBoard) -> None:
        self.turns = 0
        self.alarms: list[str] = []
        board.on_news(self._hear)

    def _hear(self, events: Sequence[FeedEvent], turned: bool) -> None:
        self.turns += turned
        self.alarms += [event.body["ref"] for event in events]


def shown(board: DarkBoard) -> list[str]:
    return [event.body["ref"] for event in board.shown()]


def test_two_journals_add_up_and_end_one_by_one() -> None:
    board = DarkBoard()
    page = Page(board)
    assert board.to_json() is None

    board.announce(DarkState(NOON, 1, 1), [{"ref": "here"}])
    assert (page.turns, page.alarms, board.away) == (1, ["here"], True)
    board.announce(DarkState(EARLIER, 2, 5, error="full"), [{"ref": "there"}], "bridge")
    assert (page.turns, page.alarms) == (1, ["here", "there"])
    assert board.to_json() == {"since": EARLIER, "journalled": 3, "uplinks": 6, "replaying": False, "error": "full"}
    assert len({event.body["number"] for event in board.shown()}) == 2

    board.announce(DarkState(NOON, 1, 1, replaying=True), ())
    assert board.away is False
    assert (board.to_json() or {})["replaying"] is False, "the other one is not at it yet"
    board.announce(None, ())
    assert shown(board) == ["there"]
    assert page.turns == 1
    board.announce(DarkState(EARLIER, 1, 1, replaying=True), (), "bridge")
    assert (board.to_json() or {})["replaying"] is True
    board.announce(None, (), "bridge")
    assert (page.turns, shown(board), board.to_json()) == (2, [], None)


def test_another_process_without_its_database_does_not_speak_for_this_one() -> None:
    board = DarkBoard()
    board.announce(DarkState(NOON, 1, 1), [{"ref": "there"}], "bridge")
    assert board.away is False
    assert board.to_json() is not None
