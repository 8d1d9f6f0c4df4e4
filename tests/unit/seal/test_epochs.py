"""The child that makes a key: it answers, or fails in one line, or is stopped; the vault has all or nothing."""

from __future__ import annotations

import hashlib
import io
import os
import select
import sys
import time
from pathlib import Path

import pytest

from camera_packets import START_US
from lamppost.base.clock import ManualClock
from lamppost.base.errors import SealError
from lamppost.model.books import EpochSealed
from lamppost.seal import sealer
from lamppost.seal.custodians import read_key_file
from lamppost.seal.epochs import TIMEOUT_S, EpochPreparation, SealingDesk, seal_request
from lamppost.seal.opening import open_epoch
from lamppost.seal.sealer import MAX_REQUESTS, SealRequest
from lamppost.store.vault import Vault
from sealed_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def start(site: Site, *, clock: ManualClock | None = None, timeout_s: float = TIMEOUT_S, **changes: object) -> EpochPreparation:
    """One request, whose child has been launched."""
    desk = SealingDesk(clock or site.clock, timeout_s=timeout_s, gather_s=0.0)
    preparation = desk.request(request(site, **changes))
    assert preparation.poll() is None
    return preparation


def request(site: Site, **changes: object) -> SealRequest:
    arguments = {
        "folder": site.folder, "camera": "plaza", "sequence": 7, "start_us": START_US, "end_us": START_US + 1,
        "custodians": site.custodians, "threshold": 2,
    }  # fmt: skip
    return seal_request(**(arguments | changes))  # type: ignore[arg-type]


def wait_for_exit(process_id: int, timeout_s: float = 60.0) -> bool:
    """Wait without reaping, as long as the child takes; true when it has ended."""
    descriptor = os.pidfd_open(process_id)
    try:
        return bool(select.select([descriptor], [], [], timeout_s)[0])
    finally:
        os.close(descriptor)


def outcome(preparation: EpochPreparation) -> EpochSealed | None:
    assert preparation.process_id is None or wait_for_exit(preparation.process_id)
    return preparation.poll()


def test_the_child_seals_and_says_only_public_things(site: Site) -> None:
    sealed = outcome(start(site, mirrors=[site.root / "mirror"]))
    assert sealed is not None
    assert (sealed.camera, sealed.sequence, sealed.threshold, sealed.shares) == ("plaza", 7, 2, 3)
    for root in (site.folder.vault, site.root / "mirror"):
        files = Vault(root).read("plaza", sealed.epoch_id)
        assert [hashlib.sha256(files[f"share-{n}.age"]).hexdigest() for n in (1, 2, 3)] == list(sealed.share_sha256s)
    keys = [key for path in site.keys[:2] for key in read_key_file(path)]
    assert open_epoch(files, keys, site.signer.public).recipient == sealed.recipient


def test_a_failure_is_one_line_with_the_camera(site: Site) -> None:
    (site.folder.keys / "recorder.key").write_text("broken")
    with pytest.raises(SealError, match=r"camera plaza: cannot seal an epoch: .*recorder\.key is not a recorder's key") as caught:
        outcome(start(site))
    assert "\n" not in str(caught.value)
    with pytest.raises(SealError, match="1 custodians are given"):
        outcome(start(site, custodians=site.custodians[:1]))
    assert Vault(site.folder.vault).epochs() == []


def test_a_vault_that_cannot_be_written_stores_nothing(site: Site) -> None:
    site.folder.vault.write_text("a file where the vault should be")
    with pytest.raises(SealError, match="cannot create the folder"):
        outcome(start(site))


def test_a_child_that_takes_too_long_is_stopped(site: Site) -> None:
    clock = ManualClock()
    preparation = start(site, clock=clock, timeout_s=5.0)
    process_id = preparation.process_id
    clock.advance(5.0)
    with pytest.raises(SealError, match="took too long"):
        preparation.poll()
    assert preparation.process_id is None
    assert not Path(f"/proc/{process_id}").exists()


@pytest.mark.parametrize("moment", range(8))
def test_killed_at_any_moment_the_vault_has_a_whole_epoch_or_none(site: Site, moment: int) -> None:
    preparation = start(site)
    assert preparation.process_id is not None
    wait_for_exit(preparation.process_id, 0.02 * moment)
    preparation.kill()
    vault = Vault(site.folder.vault)
    keys = [key for path in site.keys for key in read_key_file(path)]
    for camera, epoch_id in vault.epochs():
        assert open_epoch(vault.read(camera, epoch_id), keys, site.signer.public)
    vault.remove_stale()
    assert all(not path.name.startswith(".") for path in site.folder.vault.glob("*/*"))


def test_a_child_whose_parent_was_killed_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    alarms: list[int] = []
    monkeypatch.setattr("signal.alarm", alarms.append)
    monkeypatch.setattr("resource.setrlimit", lambda *_: None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}\n")))
    assert sealer.main() == 1
    assert alarms == [sealer.LONGEST_LIFE_S]
    assert TIMEOUT_S < sealer.LONGEST_LIFE_S <= 2 * TIMEOUT_S


def test_requests_that_come_together_share_a_child_and_fail_alone(site: Site) -> None:
    clock = ManualClock()
    desk = SealingDesk(clock, gather_s=1.0)
    good = [desk.request(request(site, camera=f"cam-{number}")) for number in range(MAX_REQUESTS - 1)]
    bad = desk.request(request(site, camera="cam-bad", custodians=site.custodians[:1]))
    other = desk.request(request(site, camera="cam-more"))
    assert {preparation.poll() for preparation in (*good, bad, other)} == {None}
    assert {preparation.process_id for preparation in good} == {None}, "more may come"
    clock.advance(1.0)
    assert {preparation.poll() for preparation in (*good, bad, other)} == {None}
    assert len({preparation.process_id for preparation in (*good, bad)}) == 1
    assert other.process_id != bad.process_id, "a child makes so many and no more"
    sealed = [outcome(preparation) for preparation in good]
    assert [epoch.camera for epoch in sealed if epoch is not None] == [f"cam-{number}" for number in range(MAX_REQUESTS - 1)]
    with pytest.raises(SealError, match="camera cam-bad: cannot seal an epoch: 1 custodians are given"):
        bad.poll()
    assert outcome(other) is not None
    assert len({epoch.recipient for epoch in sealed if epoch is not None}) == MAX_REQUESTS - 1, "each epoch has a key of its own"


def test_a_child_that_has_answered_everybody_leaves_nothing_behind(site: Site) -> None:
    desk = SealingDesk(site.clock, gather_s=0.0)
    preparation = desk.request(request(site))
    assert preparation.poll() is None
    process_id = preparation.process_id
    assert process_id is not None
    deadline_s = time.monotonic() + 60
    while preparation.poll() is None:  # as the recorder does: the answer is taken before the child has ended
        assert time.monotonic() < deadline_s
        os.sched_yield()
    assert preparation.process_id is None
    assert not Path(f"/proc/{process_id}").exists(), "neither running nor waited for"
    assert Vault(site.folder.vault).epochs() != []


def test_the_child_lives_while_one_of_many_waits_for_it(site: Site) -> None:
    desk = SealingDesk(site.clock, gather_s=0.0)
    one, two = (desk.request(request(site, camera=name)) for name in ("one", "two"))
    assert one.poll() is None
    process_id = one.process_id
    one.kill()
    assert two.process_id == process_id
    assert outcome(two) is not None
    two.kill()
    last = desk.request(request(site, camera="three"))
    last.kill()
    assert last.poll() is None
    assert last.process_id is None, "nobody waits: none is started"
