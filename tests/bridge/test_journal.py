"""The alarm journal: what was appended comes back exactly once, whatever happens to the disk."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hub.bridge.journal import SEGMENT_BYTES, Journal, JournalError
from hub.errors import SettingError

SMALL = 4096

bodies = st.lists(st.binary(min_size=0, max_size=400), min_size=1, max_size=5)
ON_DISK = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def everything(journal: Journal) -> list[bytes]:
    return [record.body for path in journal.seal() for record in journal.read(path).records]


def written(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def test_what_was_appended_comes_back_in_order_and_goes_when_it_was_committed(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.is_empty
    assert journal.append([b"one", b"two"]) == [1, 2]
    assert journal.append([b""]) == [3]
    assert not journal.is_empty
    (path,) = journal.seal()
    assert journal.append([b"later"]) == [4]
    assert [record.body for record in journal.read(path).records] == [b"one", b"two", b""]
    journal.remove(path)
    assert everything(journal) == [b"later"]
    journal.remove(journal.seal()[0])
    assert journal.is_empty
    journal.close()
    assert written(folder) == []


def test_a_process_that_was_killed_left_it_as_it_was(folder: Path) -> None:
    journal = Journal(folder)
    journal.append([b"kept"])
    os.close(journal._lock)  # all that a killed process does
    again = Journal(folder)
    assert again.append([b"after"]) == [2]
    assert everything(again) == [b"kept", b"after"]
    again.close()


def test_one_owner(folder: Path) -> None:
    journal = Journal(folder)
    with pytest.raises(SettingError, match="another hub's"):
        Journal(folder)
    journal.close()
    Journal(folder).close()


def test_many_segments(folder: Path) -> None:
    journal = Journal(folder, SMALL)
    sent = [b"%d" % number * 300 for number in range(40)]
    for body in sent:
        journal.append([body])
    assert len(journal.seal()) > 5
    assert everything(journal) == sent
    journal.close()


@ON_DISK
@given(before=bodies, torn=bodies, reach=st.integers(0, 10**6))
def test_a_torn_write_is_cut_and_takes_nothing_with_it(
    folder: Path, before: list[bytes], torn: list[bytes], reach: int
) -> None:
    """Any part of the last write may have reached the disk, each page of it or not."""
    journal = Journal(fresh(folder), SMALL * 8)
    journal.append(before)
    (path,) = written(folder)
    whole = path.read_bytes()
    start = len(whole.rstrip(b"\0"))
    journal.append(torn)
    after = path.read_bytes()
    end = max(start, len(after.rstrip(b"\0")))
    cut = reach % (end - start + 1)
    reached = after[start : start + cut]
    path.write_bytes(whole[:start] + reached + bytes(len(after) - start - cut))
    os.close(journal._lock)

    again = Journal(folder, SMALL * 8)
    found = everything(again)
    # Bytes of a digest may end in zeros and look unwritten: what is before stays, what is after is whole or not there.
    assert found[: len(before)] == before
    assert found == (before + torn)[: len(found)]
    assert again.append([b"next"])
    assert everything(again) == [*found, b"next"]
    again.close()


@ON_DISK
@given(parts=st.lists(bodies, min_size=1, max_size=4), flips=st.sets(st.integers(0, 10**6), min_size=1, max_size=3))
def test_flipped_bits_cost_the_records_they_hit_and_no_other(
    folder: Path, parts: list[list[bytes]], flips: set[int]
) -> None:
    journal = Journal(fresh(folder), SMALL * 8)
    sent = [body for part in parts for body in part]
    for part in parts:
        journal.append(part)
    (path,) = journal.seal()
    content = bytearray(path.read_bytes())
    size = len(bytes(content).rstrip(b"\0"))
    hit = {flip % (size * 8) for flip in flips}
    for bit in hit:
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)

    segment = journal.read(path)
    numbers = [record.number for record in segment.records]
    assert numbers == sorted(set(numbers))
    assert all(sent[record.number - 1] == record.body for record in segment.records), "something was invented"
    lost = len(sent) - len(numbers)
    assert lost <= len(hit)
    assert segment.missing == lost or segment.torn, "nothing is lost silently"
    journal.close()


@ON_DISK
@given(inner=bodies)
def test_a_record_inside_a_damaged_record_is_no_record(folder: Path, inner: list[bytes]) -> None:
    """A device sends, as its payload, the very bytes of a segment."""
    other = Journal(fresh(folder.with_name("other")), SMALL)
    other.append(inner)
    (path,) = other.seal()
    forged = path.read_bytes()[:2000]
    other.close()
    journal = Journal(fresh(folder), SMALL * 8)
    journal.append([forged, b"after"])
    (path,) = journal.seal()
    content = bytearray(path.read_bytes())
    content[9] ^= 0xFF
    path.write_bytes(content)
    segment = journal.read(path)
    assert [record.body for record in segment.records] == [b"after"]
    assert segment.missing == 1
    journal.close()


def test_a_damaged_segment_is_set_aside_and_not_thrown_away(folder: Path) -> None:
    journal = Journal(folder)
    journal.append([b"one", b"two", b"three"])
    (path,) = journal.seal()
    journal.remove(path, keep=True)
    assert journal.is_empty
    assert [one.suffix for one in folder.iterdir() if one.name.startswith("0")].count(".damaged") == 1
    journal.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of three megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip(f"no small file system can be mounted here: {made.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_said_and_what_was_told_stays(small_disk: Path) -> None:
    journal = Journal(small_disk / "journal", 512 * 1024)
    journal.append([b"first"])
    told = [b"first"]

    def fill() -> None:
        for number in range(10_000):
            body = b"%06d" % number * 1000
            journal.append([body])
            told.append(body)

    with pytest.raises(JournalError, match="No space left"):
        fill()
    assert len(told) > 100
    with pytest.raises(JournalError):
        journal.append([b"x" * 600_000])
    os.close(journal._lock)
    again = Journal(small_disk / "journal", 512 * 1024)
    assert everything(again)[: len(told)] == told
    for path in again.seal():
        again.remove(path)
    assert again.append([b"room again"])
    assert everything(again) == [b"room again"]
    again.close()


def test_reserved_room_takes_alarms_on_a_disk_that_filled_up_later(small_disk: Path) -> None:
    journal = Journal(small_disk / "journal", 512 * 1024)

    def fill() -> None:
        with (small_disk / "database").open("wb", buffering=0) as database:
            while True:
                database.write(b"x" * 4096)

    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        fill()
    for number in range(100):
        journal.append([b"%d" % number * 100])
    assert len(everything(journal)) == 100
    journal.close()


class AnyOrder(RuleBasedStateMachine):
    """Appends, replays that are cut short, and deaths in any order."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(os.environ["PYTEST_JOURNAL_FOLDER"])
        shutil.rmtree(self.folder, ignore_errors=True)
        self.journal = Journal(self.folder, SMALL)
        self.told: list[bytes] = []
        self.committed: dict[bytes, None] = {}
        self.number = 0

    @rule(count=st.integers(1, 6), size=st.integers(0, 1500))
    def append(self, count: int, size: int) -> None:
        bodies = [b"%08d" % (self.number + one) + b"." * size for one in range(count)]
        self.number += count
        self.journal.append(bodies)
        self.told += bodies

    @rule()
    def die(self) -> None:
        os.close(self.journal._lock)
        self.journal = Journal(self.folder, SMALL)

    @rule(part=st.floats(0, 1), dies=st.booleans())
    def replay_in_part(self, part: float, dies: bool) -> None:
        """Some of a segment was committed, and marked; the mark itself may not have reached the disk."""
        for path in self.journal.seal()[:1]:
            records = self.journal.read(path).records
            some = records[: int(len(records) * part)]
            for record in some:
                self.committed.setdefault(record.body)
            if some:
                self.journal.mark(path, some[-1].number)
                left = self.journal.read(path).records
                assert [one.number for one in left] == [one.number for one in records[len(some) :]]
            if dies:
                self.die()

    @rule(byte=st.integers(0, 10**6), bit=st.integers(0, 7))
    def damage_a_mark(self, byte: int, bit: int) -> None:
        for mark in self.folder.glob("*.taken"):
            content = bytearray(mark.read_bytes())
            content[byte % len(content)] ^= 1 << bit
            mark.write_bytes(content[: byte % (len(content) + 8) + 1])

    @rule(segments=st.integers(1, 3), dies=st.booleans())
    def replay(self, segments: int, dies: bool) -> None:
        """Each segment is committed and then removed; a death between the two gives it once more."""
        for path in self.journal.seal()[:segments]:
            for record in self.journal.read(path).records:
                self.committed.setdefault(record.body)
            if dies:
                self.die()
                return
            self.journal.remove(path)

    @precondition(lambda self: hasattr(self, "journal"))
    @invariant()
    def nothing_is_lost_or_invented(self) -> None:
        assert set(self.committed) <= set(self.told)
        waiting = [
            record.body for path in sorted(self.folder.glob("*.journal")) for record in self.journal.read(path).records
        ]
        assert list(dict.fromkeys([*self.committed, *waiting])) == self.told

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()


def test_any_order_of_appends_replays_and_deaths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_JOURNAL_FOLDER", str(tmp_path / "machine"))
    run_state_machine_as_test(AnyOrder, settings=settings(deadline=None, max_examples=15, stateful_step_count=15))


def test_what_a_segment_did_not_use_is_given_back(folder: Path) -> None:
    journal = Journal(folder)
    journal.append([b"one\0\0\0"])
    journal.seal()
    assert journal.bytes_on_disk() < 1000
    journal.append([b"two"])
    assert journal.bytes_on_disk() > SEGMENT_BYTES
    os.close(journal._lock)
    again = Journal(folder)
    assert [path.stat().st_size < 1000 for path in written(folder)] == [True, True, False]
    assert everything(again) == [b"one\0\0\0", b"two"]
    again.close()


def test_a_mark_without_its_segment_goes(folder: Path) -> None:
    journal = Journal(folder)
    journal.append([b"one", b"two"])
    (path,) = journal.seal()
    journal.mark(path, 1)
    path.unlink()  # a death before the mark went as well
    os.close(journal._lock)
    again = Journal(folder)
    assert not list(folder.glob("*.taken"))
    again.close()


def test_the_reserved_size_is_stated(folder: Path) -> None:
    journal = Journal(folder)
    assert journal.bytes_on_disk() == SEGMENT_BYTES
    journal.close()
