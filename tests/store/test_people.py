"""Accounts, sessions, registers, calls, audit."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from dispatch.catalogue import SERVICE_KINDS
from hub.clock import new_id
from hub.errors import BadRequestError, ConflictError, NotFoundError
from hub.ports import Actor, SessionRow
from hub.store import PostgresDatabase, ReadsPostgres, seed_catalogue
from tests.store.rows import CITY, GRID, NOW, STREET, add_user, at, opened, populate, user


def session(user_id: str, word: bytes, **fields: object) -> SessionRow:
    base: dict[str, object] = {
        "token_hash": word,
        "user_id": user_id,
        "kind": "console",
        "created_at": NOW,
        "last_seen_at": NOW,
        "expires_at": at(3600),
        "address": "10.0.0.1",
    }
    return SessionRow(**{**base, **fields})  # type: ignore[arg-type]


def test_accounts(database: PostgresDatabase) -> None:
    row = user("chen", "supervisor", language="en")
    with database.begin() as tx:
        tx.users.insert(row)
        assert tx.users.by_name("chen") == row
        assert tx.users.get(row.id) == row
        assert tx.users.get("nothing") is None
        assert tx.users.by_name("Chen") is None
        with pytest.raises(ConflictError) as caught:
            tx.users.insert(user("chen"))
        assert caught.value.extra["field"] == "username"
        changed = replace(row, name="陈静", theme="dark", version=2)
        tx.users.save(changed)
        assert tx.users.by_name("chen") == changed
        tx.users.insert(user("other"))
        with pytest.raises(ConflictError) as taken:
            tx.users.save(replace(changed, username="other"))
        assert taken.value.extra["field"] == "username"
        with pytest.raises(NotFoundError):
            tx.users.save(user("nobody"))


def test_failures_count_since_the_last_success_of_the_name(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        tx.users.attempt("chen", "10.0.0.1", False, at(1))
        tx.users.attempt("chen", "10.0.0.1", True, at(2))
        tx.users.attempt("chen", "10.0.0.1", False, at(3))
        tx.users.attempt("chen", "10.0.0.2", False, at(4))
        tx.users.attempt("wang", "10.0.0.1", False, at(5))
        assert tx.users.failures_since("chen", "10.0.0.1", NOW) == (2, 2)
        assert tx.users.failures_since("chen", "10.0.0.9", NOW) == (2, 0)
        assert tx.users.failures_since("wang", "10.0.0.1", NOW) == (1, 3)
        assert tx.users.failures_since("wang", "10.0.0.1", at(4.5)) == (1, 1)
        assert tx.users.failures_since("nobody", "10.0.0.9", NOW) == (0, 0)


def test_sessions(database: PostgresDatabase) -> None:
    owner = add_user(database, "chen")
    one = session(owner, b"one", agent="Firefox")
    with database.begin() as tx:
        tx.users.open_session(one)
        tx.users.open_session(session(owner, b"two", kind="phone"))
        tx.users.open_session(session(owner, b"six", kind="token"))
        found = tx.users.session(b"one", at(10))
        assert found is not None
        assert found[0] == one
        assert found[1].id == owner
        assert tx.users.session(b"one", at(3600)) is None, "expired"
        assert tx.users.session(b"none", at(10)) is None
        tx.users.touch_session(b"one", at(20), at(7200))
        touched = tx.users.session(b"one", at(3600))
        assert touched is not None
        assert (touched[0].last_seen_at, touched[0].expires_at) == (at(20), at(7200))
        tx.users.close_session(b"two")
        assert tx.users.session(b"two", at(10)) is None
        assert tx.users.close_sessions_of(owner, keep=b"one") == 1
        assert tx.users.session(b"one", at(10)) is not None
        assert tx.users.close_sessions_of(owner) == 1


def test_a_session_of_an_inactive_user_is_none(database: PostgresDatabase) -> None:
    row = user("chen")
    with database.begin() as tx:
        tx.users.insert(row)
        tx.users.open_session(session(row.id, b"one"))
        tx.users.save(replace(row, active=False))
        assert tx.users.session(b"one", at(1)) is None


def test_operators_on_duty_are_persons_seen_lately_at_a_console(database: PostgresDatabase) -> None:
    chen, wang, sun = add_user(database, "chen"), add_user(database, "wang"), add_user(database, "sun", "staff")
    planner = add_user(database, "li", "coordinator")
    with database.begin() as tx:
        tx.users.open_session(session(planner, b"0", on_duty=True))  # may not claim: counts for nothing at night
        tx.users.open_session(session(chen, b"1", on_duty=True))
        tx.users.open_session(session(chen, b"2", on_duty=True))
        tx.users.open_session(session(wang, b"3"))
        tx.users.open_session(session(wang, b"4", on_duty=True, kind="phone"))
        tx.users.open_session(session(sun, b"5", on_duty=True))
        assert tx.users.operators_on_duty(at(1)) == 1
        tx.users.set_seat_on_duty(b"3", True)
        assert tx.users.operators_on_duty(at(1)) == 2
        assert tx.users.operators_on_duty(NOW + timedelta(minutes=6)) == 0, "not heard of for six minutes"
        tx.users.touch_session(b"3", NOW + timedelta(minutes=5), at(3600))
        assert tx.users.operators_on_duty(NOW + timedelta(minutes=6)) == 1


def test_areas_come_in_any_order_and_know_their_path(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    view = reads.record("areas", GRID)
    assert view is not None
    assert [one["id"] for one in view["path"]] == [CITY, STREET, GRID]
    with database.begin() as tx:
        tx.reference.insert("areas", {"id": "320000", "kind": "city", "name": "苏州"})
        tx.reference.patch("areas", STREET, {"parent_id": "320000"}, version=None)
        with pytest.raises(BadRequestError) as ring:
            tx.reference.patch("areas", STREET, {"parent_id": GRID}, version=None)
        assert ring.value.extra["field"] == "parent_id"
        with pytest.raises(BadRequestError, match="no 999"):
            tx.reference.insert("areas", {"id": "x", "parent_id": "999", "kind": "grid", "name": "x"})
    moved = reads.record("areas", GRID)
    assert moved is not None
    assert [one["id"] for one in moved["path"]] == ["320000", STREET, GRID], "what lies below moves along"


def test_upsert_counts_what_changed_and_leaves_other_fields_alone(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        row = {"id": "R-1", "name": "王秀英", "notes": "养猫"}
        assert tx.reference.upsert("residents", [row, {"id": "R-9", "name": "新"}]) == 2
        assert tx.reference.upsert("residents", [row, {"id": "R-9", "name": "新"}]) == 0
        found = tx.reference.get("residents", "R-1")
        assert tx.reference.get("residents", "none") is None
        assert tx.reference.upsert("residents", [{"id": "R-9", "name": "a"}, {"id": "R-9", "name": "b"}]) == 2
        assert tx.reference.upsert("residents", []) == 0
    assert found is not None
    assert (found["notes"], found["allergies"], found["version"]) == ("养猫", ["青霉素"], 2)


BAD_ROWS: list[tuple[str, dict[str, object], str]] = [
    ("residents", {"id": "R-5", "name": "x", "shoe_size": 40}, "shoe_size"),
    ("residents", {"name": "x"}, "id"),
    ("residents", {"id": "R-5"}, "name"),
    ("residents", {"id": "R-5", "name": "x", "area_id": "nowhere"}, "area_id"),
    ("residents", {"id": "R-5", "name": "x", "sex": "z"}, "sex"),
    ("residents", {"id": "R-5", "name": "x", "lat": 91}, "lat"),
    ("devices", {"id": "W-9", "family": "care", "secret_hash": "mine"}, "secret_hash"),
    ("devices", {"id": "hub-1", "family": "care"}, "id"),
    ("crews", {"id": "K", "name": "x", "members": "S-1"}, "members"),
]


def test_a_bad_row_names_its_field_and_spoils_nothing(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        for table, row, field in BAD_ROWS:
            with pytest.raises(BadRequestError) as caught:
                tx.reference.insert(table, row)
            assert caught.value.extra["field"] == field, row
        tx.reference.upsert("residents", [{"id": "R-6", "name": "good"}])
    with database.begin() as tx:
        assert tx.residents.get("R-6") is not None, "the transaction went on after the refusals"


def test_a_value_of_the_wrong_kind_is_a_bad_request(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx, pytest.raises(BadRequestError, match="soon"):
        tx.reference.insert("residents", {"id": "R-5", "name": "x", "born_on": "soon"})


def test_insert_refuses_a_taken_id_and_an_unknown_table(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        with pytest.raises(ConflictError) as caught:
            tx.reference.insert("residents", {"id": "R-1", "name": "x"})
        assert (caught.value.extra["field"], caught.value.extra["value"]) == ("id", "R-1")
        with pytest.raises(NotFoundError):
            tx.reference.insert("users", {"id": new_id()})
        with pytest.raises(NotFoundError):
            tx.reference.upsert("residents; DROP TABLE residents", [{"id": "1"}])


def test_patch_keeps_to_the_version(database: PostgresDatabase) -> None:
    populate(database)
    with database.begin() as tx:
        changed = tx.reference.patch("residents", "R-1", {"notes": "a", "flags": []}, version=1)
        assert (changed["notes"], changed["flags"], changed["version"]) == ("a", [], 2)
        with pytest.raises(ConflictError) as caught:
            tx.reference.patch("residents", "R-1", {"notes": "b"}, version=1)
        assert caught.value.code == "version"
        with pytest.raises(NotFoundError):
            tx.reference.patch("residents", "R-99", {"notes": "b"}, version=None)
        with pytest.raises(NotFoundError):
            tx.reference.patch("shifts", "no id", {"role": "b"}, version=None)
        with pytest.raises(BadRequestError, match="status cannot be changed here"):
            tx.reference.patch("residents", "R-1", {"status": "moved"}, version=None)


def test_crews_and_their_members(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    with database.begin() as tx:
        made = tx.reference.insert("crews", {"id": "K-1", "name": "助浴一组", "members": ["S-1", "S-2"]})
        assert made["members"] == ["S-1", "S-2"]
        tx.reference.patch("crews", "K-1", {"members": ["S-3", "S-2"]}, version=1)
        with pytest.raises(BadRequestError):
            tx.reference.patch("crews", "K-1", {"members": ["nobody"]}, version=None)
    view = reads.record("crews", "K-1")
    assert view is not None
    assert (view["members"], view["version"]) == (["S-2", "S-3"], 2)


def test_the_catalogue_is_sown_once_and_local_changes_stay(database: PostgresDatabase) -> None:
    with database.begin() as tx:
        assert seed_catalogue(tx.reference, SERVICE_KINDS.values()) == len(SERVICE_KINDS)
        tx.reference.patch("service_kinds", "meal_delivery", {"duration_min": 7}, version=None)
    with database.begin() as tx:
        assert seed_catalogue(tx.reference, SERVICE_KINDS.values()) == 0
        kept = tx.reference.get("service_kinds", "meal_delivery")
    assert kept is not None
    assert kept["duration_min"] == 7


def test_calls_and_the_audit(database: PostgresDatabase, reads: ReadsPostgres) -> None:
    populate(database)
    row = opened(database)
    call = {"id": new_id(), "direction": "out", "number": "13800138000", "incident_id": row.id, "started_at": NOW}
    with database.begin() as tx:
        tx.calls.insert(call)
        tx.calls.update(str(call["id"]), {"outcome": "answered", "answered_at": at(9)})
        found = tx.calls.get(str(call["id"]))
        assert tx.calls.get("nothing") is None
        with pytest.raises(NotFoundError):
            tx.calls.update(new_id(), {"outcome": "busy"})
        with pytest.raises(BadRequestError):
            tx.calls.update(str(call["id"]), {"outcome": "pigeon"})
        tx.audit.add(
            Actor("operator", "陈静", user_id=new_id()), "opened", "resident:R-1", {"why": "x"}, NOW, "10.0.0.1"
        )
    assert found is not None
    assert (found["outcome"], found["answered_at"], found["version"]) == ("answered", at(9), 2)
    assert [one["id"] for one in reads.calls(row.id, 10, None).items] == [call["id"]]
    assert reads.calls("nothing", 10, None).items == []
    line = reads.audit(10, None).items[0]
    assert (line["action"], line["detail"], line["address"]) == ("opened", {"why": "x"}, "10.0.0.1")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("zgh", {"R-1", "R-2"}),
        ("ZG", {"R-1", "R-2"}),
        ("syq", {"R-3"}),  # a surname is read as a surname, and 琪 is not among the common characters
        ("oy", {"R-4"}),
        ("li", {"R-5"}),  # as it is written
        ("gh", set()),
        ("z", {"R-5"}),  # one letter alone is looked for as it is written only
        ("zg%", set()),
    ],
)
def test_residents_are_found_by_the_initials_of_their_names(
    database: PostgresDatabase, reads: ReadsPostgres, typed: str, found: set[str]
) -> None:
    names = ("张国华", "赵桂花", "单玉琪", "欧阳", "Liz 李")
    rows = [{"id": f"R-{number}", "name": name} for number, name in enumerate(names, start=1)]
    with database.begin() as tx:
        tx.reference.upsert("residents", rows)
    assert {row["id"] for row in reads.records("residents", 10, None, q=typed).items} == found


def test_initials_are_looked_up_in_their_index(database: PostgresDatabase, database_url: str) -> None:
    del database
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO residents (id, name) SELECT 'X-' || n, '王' || n FROM generate_series(1, 3000) n"
        )
        connection.execute("ANALYZE residents")
        rows = connection.execute(
            "EXPLAIN SELECT x.id FROM residents x WHERE pinyin_initials(x.name) LIKE 'zgh%'"
        ).fetchall()
    assert any("residents_initials" in row[0] for row in rows), rows
