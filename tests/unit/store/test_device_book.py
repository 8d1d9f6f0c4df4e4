"""What is known of devices comes back as it was kept, to every process, and a broken book says so in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import sqlite3
import stat
import threading
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from kept_audits import HIKVISION, S, audit_of
from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level, Outcome, StreamProfile
from lamppost.model.disarming import Disarm, DisarmState, DisarmStep
from lamppost.model.layout import DataFolder
from lamppost.model.origin import Origin, origin_from
from lamppost.store import device_audits, device_book
from lamppost.store.device_book import DeviceBook, OriginChanged, TourStep
from lamppost.store.device_tables import CONTENTS, VERSION


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def book(folder: DataFolder) -> Iterator[DeviceBook]:
    with DeviceBook(folder) as book:
        yield book


words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
counts = st.none() | st.integers(0, 2**63 - 1)
times = st.integers(0, 2**50)
levels = st.sampled_from(Level)
identities = st.builds(DeviceIdentity, *(words for _ in range(6)))
armaments = st.builds(
    Armament, levels, levels, libraries=counts, entries=counts, armed=st.lists(words, max_size=4).map(tuple), auto_tracking=levels
)
evidence = st.builds(
    Evidence,
    question=words,
    asked_us=times,
    outcome=st.sampled_from(Outcome),
    http_status=st.none() | st.integers(100, 599),
    sha256=words,
    size_bytes=st.integers(0, 2**40),
    content=st.binary(max_size=300),
    content_type=words,
    counts=st.lists(st.tuples(words, st.integers(0, 2**70)), max_size=3).map(tuple),
    problem=words,
)
findings = st.builds(Finding, st.sampled_from(Ability), levels, words, st.integers(0, 500))
audits = st.builds(
    Audit,
    audit_id=st.text("0123456789abcdefTZ-", min_size=1, max_size=30),
    camera=st.just("plaza"),
    made_us=times,
    identity=identities,
    detect=levels,
    capture=levels,
    recognise=levels,
    armament=armaments,
    findings=st.lists(findings, max_size=3).map(tuple),
    evidence=st.lists(evidence, max_size=3).map(tuple),
    dialects=st.lists(words, max_size=3).map(tuple),
)


def contents(book: DeviceBook) -> list[bytes]:
    """All that is kept; these are too short for a base."""
    return [zlib.decompress(row.packed) for row in book._all(select(CONTENTS))]


def disarm_of(number: int, **others: object) -> Disarm:
    step = DisarmStep("FaceDetection", "on", "", is_begun=True)
    plain = Disarm(f"d{number}", "plaza", number * S, "anna", "Decision 7 of the council", "7/26", DisarmState.FAILED, (step,))
    return dataclasses.replace(plain, **others)  # type: ignore[arg-type]


@given(audits, st.lists(words, max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_audit_comes_back_as_it_was(book: DeviceBook, audit: Audit, drift: list[str]) -> None:
    with book.changing_credentials() as change:  # an empty book for each
        change._connection.exec_driver_sql("DELETE FROM audits")
    book.add_audit(audit, drift=drift)
    kept = book.audit(audit.audit_id)
    assert kept is not None
    assert kept.audit == audit
    assert kept.drift == tuple(drift)
    assert [book.evidence(audit.audit_id, number) for number in range(len(audit.evidence))] == list(audit.evidence)
    listed = dataclasses.replace(audit, findings=(), evidence=())
    assert [each.audit for each in book.newest_audits()] == [listed]
    assert [each.audit for each in book.audits("plaza", limit=5)] == [listed]


def test_halves_of_characters_and_endless_numbers_from_a_device_are_kept_as_far_as_they_can_be(book: DeviceBook) -> None:
    audit = dataclasses.replace(audit_of(1), identity=DeviceIdentity("\ud800vendor"), armament=Armament(entries=10**30))
    book.add_audit(audit)
    kept = book.audit(audit.audit_id)
    assert kept is not None
    assert kept.audit.identity.vendor == "?vendor"
    assert kept.audit.armament.entries == 2**63 - 1
    book.remember("plaza", DeviceIdentity("\ud800"), "http://10.0.0.1", 1)


def test_an_answer_of_more_than_64_kib_is_refused_whole(book: DeviceBook) -> None:
    audit = audit_of(1)
    big = dataclasses.replace(audit.evidence[0], content=bytes(64 * 1024 + 1))
    with pytest.raises(StoreError, match="cannot keep an audit in the device book"):
        book.add_audit(dataclasses.replace(audit, evidence=(big,)))
    assert book.newest_audits() == ()


def test_the_newest_audits_stay_and_those_that_tell_a_change_or_belong_to_a_disarm(
    book: DeviceBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_audits, "KEPT", 3)
    book.add_disarm(disarm_of(1, audit_before="a000002", audit_after="a000003", rollback_audit="a000004"))
    for number in range(20):
        book.add_audit(audit_of(number, recognise=Level.YES if number == 7 else Level.NO))
    book.add_audit(audit_of(1, camera="gate"))
    ids = [each.audit.audit_id for each in book.audits("plaza", limit=50)]
    # The first tells something, as does 7, and 8 that it is over; 2 to 4 were before and after a disarm, and after its rollback.
    assert ids == ["a000019", "a000018", "a000017", "a000008", "a000007", "a000004", "a000003", "a000002", "a000000"]
    assert book.evidence("a000005", 0) is None
    assert contents(book) == [b"yes"], "each answer is kept once"
    assert len(book.newest_audits()) == 2
    monkeypatch.setattr(device_audits, "MOST_DIFFERING", 4)
    book.add_audit(audit_of(20))
    kept = ["a000004", "a000003", "a000002"]
    assert [each.audit.audit_id for each in book.audits("plaza", limit=50)] == ["a000020", "a000019", "a000018", *kept]


def test_an_answer_goes_with_the_last_audit_that_has_it(book: DeviceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_audits, "KEPT", 2)
    for number, content in enumerate([b"first", b"shared", b"other", b"shared", b"", b"last"]):
        audit = audit_of(number)
        reply = dataclasses.replace(audit.evidence[0], content=content)
        book.add_audit(dataclasses.replace(audit, evidence=(reply, reply)))
    # The first audit stays, since it tells something.
    assert sorted(contents(book)) == [b"first", b"last"]
    empty = book.evidence("a000004", 0)
    assert empty is not None
    assert empty.content == b""


def test_audits_come_in_pages(book: DeviceBook) -> None:
    for number in range(5):
        book.add_audit(audit_of(number))
    first = book.audits("plaza", limit=2)
    last = first[-1].audit
    second = book.audits("plaza", after=(last.made_us, last.audit_id), limit=9)
    assert [each.audit.audit_id for each in (*first, *second)] == [f"a00000{number}" for number in (4, 3, 2, 1, 0)]
    newest = book.newest_audit("plaza")
    assert newest is not None
    assert newest.audit == audit_of(4)


def test_nothing_is_kept_where_it_cannot_be_put_on_the_record(book: DeviceBook) -> None:
    def refuse() -> None:
        raise StoreError("the journal is full")

    for change in (
        lambda: book.add_audit(audit_of(1), first=refuse),
        lambda: book.add_disarm(disarm_of(1), first=refuse),
        lambda: book.set_origin("plaza", Origin("Dahua"), first=refuse),
        lambda: book.set_origins({"plaza": Origin("Dahua")}, first=refuse),
        lambda: book.set_firmware_list({"name": "x"}, 1, first=refuse),
        lambda: book.set_import_profile("x", {}, first=refuse),
        lambda: book.change_tours("plaza", lambda tours: tours.update(round=(TourStep("1", 5),)), first=refuse),
    ):
        with pytest.raises(StoreError, match="full"):
            change()
    assert book.newest_audits() == ()
    assert book.disarms("plaza") == ()
    assert book.origins() == {}
    assert book.firmware_list() is None
    assert book.import_profiles() == {}
    assert book.tours("plaza") == {}


def test_a_disarm_is_kept_step_by_step(book: DeviceBook) -> None:
    disarm = disarm_of(1, saved='[{"kind": "motion"}]', problems=("it did not say",))
    book.add_disarm(disarm)
    done = dataclasses.replace(
        disarm,
        state=DisarmState.ROLLED_BACK,
        steps=(dataclasses.replace(disarm.steps[0], after="off", is_done=True),),
        audit_after="a2",
        rolled_back_us=5,
        rolled_back_by="bert",
        rollback_authorisation="Decision 8",
        rollback_steps=(DisarmStep("motion", "", "on"),),
    )
    book.update_disarm(done)
    assert book.disarm("d1") == done
    book.add_disarm(disarm_of(2))
    assert [each.disarm_id for each in book.disarms("plaza")] == ["d2", "d1"]
    with pytest.raises(StoreError, match="there is no disarm d3"):
        book.update_disarm(disarm_of(3))


def test_a_device_is_remembered_and_what_it_does_not_say_stays_known(book: DeviceBook) -> None:
    assert book.remember("plaza", HIKVISION, "http://10.0.0.1", 10) is None
    before = book.remember("plaza", DeviceIdentity(firmware="V5.6.0"), "http://10.0.0.2", 20)
    assert before is not None
    assert before.identity == HIKVISION
    row = book.device("plaza")
    assert row is not None
    assert row.identity == dataclasses.replace(HIKVISION, firmware="V5.6.0")
    assert (row.device_url, row.first_seen_us, row.seen_us) == ("http://10.0.0.2", 10, 20)
    # A maker that spells itself otherwise after an update is the same device, since the same day.
    book.remember("plaza", dataclasses.replace(HIKVISION, vendor="Hikvision Digital", firmware="V5.7.0"), "http://10.0.0.2", 25)
    row = book.device("plaza")
    assert row is not None
    assert (row.identity.vendor, row.identity.firmware, row.first_seen_us) == ("Hikvision Digital", "V5.7.0", 10)
    # Another one in its place begins anew.
    book.remember("plaza", DeviceIdentity("Axis", serial="ACCC8E"), "http://10.0.0.2", 30)
    row = book.device("plaza")
    assert row is not None
    assert row.identity == DeviceIdentity("Axis", serial="ACCC8E")
    assert row.first_seen_us == 30
    assert [each.camera for each in book.devices()] == ["plaza"]


def test_tours_that_two_change_at_once_are_both_kept(book: DeviceBook) -> None:
    barrier = threading.Barrier(4)

    def add(number: int) -> None:
        barrier.wait(10)
        for turn in range(5):
            book.change_tours("plaza", lambda tours, name=f"{number}-{turn}": tours.update({name: (TourStep("1", 5.0),)}))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(book.tours("plaza")) == 20


def test_health_profiles_and_tours_are_replaced(book: DeviceBook) -> None:
    assert book.health("plaza") is None
    book.note_health("plaza", {"temperature_c": 40.5}, 1)
    book.note_health("plaza", {"temperature_c": 41}, 2)
    health = book.health("plaza")
    assert health is not None
    assert (health.document, health.noted_us) == ({"temperature_c": 41}, 2)
    profile = StreamProfile("p1", "main", "rtsp://10.0.0.1/1", "H264", 1920, 1080, 25.0, None, 2.0, has_ptz=True, has_metadata=False)
    book.keep_profiles("plaza", [profile] * 100, 1)
    assert book.profiles("plaza") == (profile,) * device_book.MOST_PROFILES
    assert book.profiles("gate") == ()
    book.change_tours("plaza", lambda tours: tours.update(round=(TourStep("1", 5.0), TourStep("2", 9.5))))
    assert book.tours("plaza") == {"round": (TourStep("1", 5.0), TourStep("2", 9.5))}
    with pytest.raises(StoreError, match="device book"):
        book.note_health("plaza", {"x": "y" * 70_000}, 3)


def test_an_origin_is_changed_by_who_has_seen_the_last(book: DeviceBook) -> None:
    origin = origin_from({"vendor": " Dahua ", "cost": "120.50", "currency": "eur", "installed": "2024-05-31"})
    assert origin == Origin(vendor="Dahua", cost=120.5, currency="EUR", installed=date(2024, 5, 31))
    assert book.set_origin("plaza", origin, 0) == 1
    with pytest.raises(OriginChanged):
        book.set_origin("plaza", Origin(), 0)
    row = book.origin("plaza")
    assert (row.origin, row.revision) == (origin, 1)
    assert book.set_origin("plaza", origin_from({"cost": None, "note": "x"}, row.origin), 1) == 2
    assert book.origin("plaza").origin == dataclasses.replace(origin, cost=None, note="x")
    book.set_origins({"plaza": Origin(), "gate": origin})
    assert {camera: each.revision for camera, each in book.origins().items()} == {"plaza": 3, "gate": 1}
    assert book.origin("nowhere").revision == 0


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"cost": -1}, "cost is less than nothing"),
        ({"cost": "nan"}, "cost is less than nothing, or too much"),
        ({"cost": "much"}, "cost is no number"),
        ({"installed": "31.5.2024"}, "installed is no date"),
        ({"installed": "2024-02-31"}, "installed is no date"),
        ({"currency": "EURO"}, "currency is none"),
        ({"vendor": "x" * 201}, "vendor has more than 200 characters"),
        ({"vendor": "a\x00b"}, "vendor holds characters that cannot be printed"),
        ({"vendor": 3}, "vendor is no word"),
        ({"colour": "red"}, "'colour' is no part of an origin"),
    ],
)
def test_an_origin_that_cannot_be_is_refused_in_one_line(said: dict[str, object], problem: str) -> None:
    with pytest.raises(ConfigError) as told:
        origin_from(said)
    assert problem in told.value.problem
    assert "\n" not in told.value.problem


def test_import_profiles_have_a_bound(book: DeviceBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_book, "MOST_IMPORT_PROFILES", 1)
    book.set_import_profile("domes", {"preset": "faces"})
    book.set_import_profile("domes", {"preset": "people"})
    with pytest.raises(ConfigError, match="there are 1 profiles already"):
        book.set_import_profile("more", {})
    assert book.import_profiles() == {"domes": {"preset": "people"}}
    assert book.remove_import_profile("domes")
    assert not book.remove_import_profile("domes")


def test_several_processes_write_at_once(folder: DataFolder) -> None:
    """Each connection is one of its own, as those of processes are."""
    problems: list[StoreError] = []

    def write(writer: int) -> None:
        with DeviceBook(folder) as book:
            for number in range(15):
                try:
                    book.add_audit(audit_of(number, camera=f"camera-{writer}"))
                    book.set_origin("plaza", Origin(vendor=f"{writer}"))
                except StoreError as error:
                    problems.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not problems
    with DeviceBook(folder) as book:
        assert len(book.newest_audits()) == 4
        assert book.origin("plaza").revision == 60


def test_the_book_is_its_owners_alone_and_durable(folder: DataFolder, book: DeviceBook) -> None:
    assert stat.S_IMODE(folder.devices.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.devices.parent.stat().st_mode) == 0o700
    with book._writer.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


def test_a_book_of_the_second_version_keeps_its_disarms(folder: DataFolder) -> None:
    """As it was before a rollback had an audit of its own, and before a disarm could be unconfirmed."""
    done = disarm_of(1, audit_before="a000001", state=DisarmState.DONE)
    with DeviceBook(folder) as book:
        book.add_audit(audit_of(1))
        book.add_disarm(done)
    table = "SELECT sql FROM sqlite_master WHERE name = 'disarms'"
    with contextlib.closing(sqlite3.connect(folder.devices)) as old:
        schema = old.execute(table).fetchone()[0]
        old.execute("DROP INDEX ix_disarms_rollback_audit")
        old.execute("ALTER TABLE disarms DROP COLUMN rollback_audit")
        old.execute("PRAGMA writable_schema = ON")
        old.execute("UPDATE sqlite_master SET sql = replace(sql, ?, '') WHERE name = 'disarms'", ("'unconfirmed', ",))
        old.execute("PRAGMA user_version = 2")
        old.commit()
    with DeviceBook(folder) as book:
        assert book.disarm("d1") == done
        book.update_disarm(dataclasses.replace(done, state=DisarmState.UNCONFIRMED, rollback_audit="a000001"))
        assert book.audit("a000001") is not None
    with contextlib.closing(sqlite3.connect(folder.devices)) as now:
        assert now.execute(table).fetchone()[0] == schema
        indexes = now.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'disarms' AND sql > ''").fetchall()
        assert len(indexes) == 4
        assert now.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_newer_or_broken_book_is_refused_in_one_line(folder: DataFolder) -> None:
    DeviceBook(folder).close()
    connection = sqlite3.connect(folder.devices)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="written by a newer version"):
        DeviceBook(folder)
    for left in folder.devices.parent.iterdir():
        left.unlink()
    folder.devices.write_bytes(b"no database at all, by any means" * 100)
    with pytest.raises(StoreError, match="the device book: file is not a database") as told:
        DeviceBook(folder)
    assert "\n" not in str(told.value)


def test_what_cannot_be_read_in_the_book_is_told_in_one_line(book: DeviceBook) -> None:
    book.add_audit(audit_of(1))
    book.note_health("plaza", {}, 1)
    book.keep_profiles("plaza", [], 1)
    with book._writer.begin() as connection:
        for statement in (
            "UPDATE audits SET armed = '['",
            "UPDATE health SET document = '{'",
            "UPDATE profiles SET document = '[{\"x\": 1}]'",
        ):
            connection.exec_driver_sql(statement)
    for read in (lambda: book.audit("a000001"), lambda: book.health("plaza"), lambda: book.profiles("plaza")):
        with pytest.raises(StoreError, match="in the device book cannot be read"):
            read()
