"""With k keys an interval comes back bit-exact; with less, or with anything altered, nothing does."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import av
import pytest

from camera_packets import START_US, encode, is_parameter_set
from lamppost.base.annexb import nal_units
from lamppost.base.clock import US_PER_S, ManualClock, parse_utc
from lamppost.base.errors import ConfigError, KeyFileError, LamppostError, NotEnoughShares, ShareMismatch, StoreError
from lamppost.casework.release import Release, open_interval
from lamppost.model.books import Rendition, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, Packet
from lamppost.pipeline.epochs import _next_sequence
from lamppost.record.segment_record import read_unverified, record_path
from lamppost.seal.notes import create_signer
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits
from sealed_site import Site


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"), epoch_s=4.0)
    site.record(0.0, 125, run_id="run-1")
    site.record(10.0, 75, run_id="run-2")
    return site


@pytest.fixture
def site(recorded: Site, tmp_path: Path) -> Site:
    shutil.copytree(recorded.folder.root, tmp_path / "data")
    copy = object.__new__(Site)
    copy.__dict__.update(recorded.__dict__, root=tmp_path)
    return copy


def at(second: float) -> int:
    return START_US + round(second * 1_000_000)


def release(site: Site, start_s: float, end_s: float, out: Path, keys: list[Path] | None = None, camera: str = "plaza") -> Release:
    return open_interval(site.folder, camera, at(start_s), at(end_s), site.keys[:2] if keys is None else keys, out)


def units(packets: tuple[Packet, ...]) -> list[bytes]:
    return [u for p in packets for u in nal_units(p.data) if not is_parameter_set(Codec.H264, u)]


def opened_units(content: bytes) -> list[bytes]:
    found: list[bytes] = []
    with av.open(io.BytesIO(content)) as opened:
        for packet in opened.demux(video=0):
            sample = bytes(packet) if packet.size else b""
            while sample:
                length = int.from_bytes(sample[:4], "big")
                found.append(sample[4 : 4 + length])
                sample = sample[4 + length :]
    return [u for u in found if not is_parameter_set(Codec.H264, u)]


def files_of(site: Site) -> list[Path]:
    return [site.folder.root / record.path for record in site.books if isinstance(record, SegmentOpened)]


@pytest.mark.parametrize("chosen", [(0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_any_two_custodians_open_what_was_sent(site: Site, tmp_path: Path, chosen: tuple[int, ...]) -> None:
    found = release(site, -1, 20, tmp_path / "out", [site.keys[i] for i in chosen])
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert [file.name for file in found.files] == ["plaza-20231114T221320Z.mp4", "plaza-20231114T221330Z.mp4"]
    contents = [(tmp_path / "out" / file.name).read_bytes() for file in found.files]
    assert opened_units(contents[0]) == units(encode(frames=125)[1])
    assert opened_units(contents[1]) == units(encode(frames=75)[1])
    assert [entry["sha256"] for entry in manifest["files"]] == [sha256(content).hexdigest() for content in contents]
    assert [len(entry["segments"]) for entry in manifest["files"]] == [3, 2]
    assert found.gaps == ((at(-1), at(0)), (at(5), at(10)), (at(13), at(20)))
    assert manifest["verified"]["segments_without_record"] == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "out").iterdir())


def test_one_run_goes_into_one_file_from_the_keyframe_on(site: Site, tmp_path: Path) -> None:
    found = release(site, 2.5, 3.5, tmp_path / "clip.mp4")
    content = (tmp_path / "clip.mp4").read_bytes()
    assert opened_units(content) == units(encode(frames=125)[1][50:100])
    assert (found.files[0].start_us, found.files[0].end_us) == (at(2), at(4))
    assert found.gaps == ()


def test_a_file_starts_with_a_keyframe_even_inside_a_long_group(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.record(0.0, 125, gop=125)
    release(site, 3.5, 4, tmp_path / "clip.mp4")
    assert opened_units((tmp_path / "clip.mp4").read_bytes()) == units(encode(frames=125, gop=125)[1][:100])


def test_several_runs_do_not_fit_one_file(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"2 runs with gaps between — name a folder"):
        release(site, 0, 20, tmp_path / "clip.mp4")


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_keys_open_nothing(site: Site, tmp_path: Path, count: int) -> None:
    words = f"2 of 3 custodians are needed, {count} key"
    with pytest.raises(NotEnoughShares, match=words):
        release(site, 0, 20, tmp_path / "out", site.keys[:count])
    with pytest.raises(NotEnoughShares, match=words):
        release(site, 0, 20, tmp_path / "out", site.keys[:count] * 2)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def alter(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def alter_fragment(site: Site) -> None:
    alter(files_of(site)[1], 9000)


def alter_init(site: Site) -> None:
    alter(files_of(site)[1], 600)


def alter_record(site: Site) -> None:
    path = record_path(files_of(site)[1])
    path.write_bytes(path.read_bytes().replace(b"frames: 50", b"frames: 51"))


def alter_share(site: Site) -> None:
    alter(site.folder.vault / "plaza" / "epoch-0" / "share-1.age", 300)


def alter_seal(site: Site) -> None:
    path = site.folder.vault / "plaza" / "epoch-0" / "seal.note"
    path.write_bytes(path.read_bytes().replace(b"threshold: 2", b"threshold: 3"))


def swap_epochs(site: Site) -> None:
    first, second = (site.folder.vault / "plaza" / name for name in ("epoch-0", "epoch-1"))
    first.rename(first.with_name("aside"))
    second.rename(first)


def swap_segments(site: Site) -> None:
    first, second, *_ = files_of(site)
    for path in (first, record_path(first)):
        path.unlink()
    shutil.copy(second, first)
    shutil.copy(record_path(second), record_path(first))


def cut_segment(site: Site) -> None:
    path = files_of(site)[1]
    path.write_bytes(path.read_bytes()[:9000])


def break_chain(site: Site) -> None:
    path = record_path(files_of(site)[1])
    record = read_unverified(path.read_bytes())
    path.write_bytes(site.signer.sign(replace(record, previous_sha256="0" * 64).to_text()))


def other_recorder(site: Site) -> None:
    create_signer(site.root / "other" / "recorder.key")
    shutil.copy(site.root / "other" / "recorder.pub", site.folder.keys / "recorder.pub")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (alter_fragment, r"segment 20231114T221322Z-.*fragment at byte \d+ .*is not what was recorded"),
        (alter_init, r"the start of segment 20231114T221322Z-.* is altered"),
        (alter_record, r"record of segment 20231114T221322Z-.* does not fit"),
        (alter_share, r"epoch epoch-0: share 1 is not the one that was sealed"),
        (alter_seal, r"does not fit"),
        (swap_epochs, r"epoch-0 .* holds another epoch"),
        (swap_segments, r"is of another segment"),
        (cut_segment, r"segment 20231114T221322Z-.* is cut or altered"),
        (break_chain, r"record of segment 20231114T221322Z-.* does not follow"),
        (other_recorder, r"not signed by lamppost-recorder"),
    ],
)
def test_what_was_altered_is_refused_and_named(site: Site, tmp_path: Path, change: Callable[[Site], None], words: str) -> None:
    change(site)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(ShareMismatch, match=words):
        release(site, 0, 20, tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_record_that_vanished_breaks_no_silence(site: Site, tmp_path: Path) -> None:
    path = record_path(files_of(site)[1])
    path.unlink()
    found = release(site, 0, 5, tmp_path / "out")
    assert found.unsigned_segments == (path.stem,)
    assert opened_units((tmp_path / "out" / found.files[0].name).read_bytes())[:10] == units(encode(frames=125)[1])[:10]


def test_a_growing_tar_opens_up_to_its_last_whole_fragment(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.record(0.0, 140, is_closed=False)
    (last,) = [path for path in files_of(site) if not record_path(path).exists()]
    with last.open("ab") as file:
        file.write(b"torn" * 100)
    found = release(site, 0, 60, tmp_path / "clip.mp4")
    assert found.unsigned_segments == (last.stem,)
    assert opened_units((tmp_path / "clip.mp4").read_bytes()) == units(encode(frames=140)[1][:125])
    found = release(site, 4.1, 60, tmp_path / "late.mp4")
    assert found.files[0].start_us == at(4)
    assert opened_units((tmp_path / "late.mp4").read_bytes()) == units(encode(frames=140)[1][100:125])


def test_a_segment_ended_late_by_recovery_breaks_no_chain(site: Site, tmp_path: Path) -> None:
    path = record_path(files_of(site)[1])
    record = read_unverified(path.read_bytes())
    path.write_bytes(site.signer.sign(replace(record, end=SegmentEnd.RECOVERED).to_text()))
    assert release(site, 0, 5, tmp_path / "out").unsigned_segments == ()


def test_a_carried_copy_needs_neither_index_nor_journal(site: Site, tmp_path: Path) -> None:
    assert {path.name for path in site.folder.root.iterdir()} == {"keys", "sealed", "vault"}
    (site.folder.keys / "recorder.key").unlink()
    assert release(site, 0, 1, tmp_path / "clip.mp4").files


def refusals(site: Site, tmp_path: Path) -> list[tuple[Callable[[], Release], type[LamppostError], str]]:
    (tmp_path / "there").mkdir()
    (tmp_path / "not.key").write_text("hello\n")
    out = tmp_path / "out"
    return [
        (lambda: release(site, 0, 1, out, camera="gate"), ConfigError, "no sealed recordings of camera 'gate' .* recorded here: plaza"),
        (lambda: release(site, 100, 200, out), ConfigError, "nothing was recorded between 2023-11-14T22:15:00.000Z"),
        (lambda: release(site, 5.5, 9.5, out), ConfigError, "nothing was recorded between"),
        (lambda: release(site, 2, 1, out), ConfigError, "ends .* before it begins"),
        (lambda: release(site, 0, 1, tmp_path / "there"), ConfigError, "exists — nothing is overwritten"),
        (lambda: release(site, 0, 1, out, [tmp_path / "not.key"]), KeyFileError, "not.key is not an age key file"),
        (lambda: release(site, 0, 1, tmp_path / "no" / "where"), StoreError, "cannot write .*No such file or directory"),
        (lambda: release(site, 0, 1, tmp_path / "no" / "clip.mp4"), StoreError, "cannot write .*No such file or directory"),
    ]


def test_an_interval_may_be_as_long_as_time(site: Site, tmp_path: Path) -> None:
    first_us, last_us = parse_utc("0001-01-01"), parse_utc("9999-12-31")
    assert open_interval(site.folder, "plaza", first_us, last_us, site.keys[:2], tmp_path / "all").files


def test_each_mistake_is_told_in_one_line(site: Site, tmp_path: Path) -> None:
    for attempt, kind, words in refusals(site, tmp_path):
        with pytest.raises(kind, match=words) as caught:
            attempt()
        assert "\n" not in str(caught.value)
        assert "SECRET" not in str(caught.value)
        assert not (tmp_path / "out").exists()


def test_shredded_shares_are_told(site: Site, tmp_path: Path) -> None:
    shutil.rmtree(site.folder.vault / "plaza" / "epoch-0")
    with pytest.raises(StoreError, match=r"cannot read the shares of epoch epoch-0 .* was it shredded"):
        release(site, 0, 1, tmp_path / "out")


def test_only_sealed_folders_are_read(site: Site, tmp_path: Path) -> None:
    empty = DataFolder(tmp_path / "empty")
    (empty.root / Rendition.SEALED.value).mkdir(parents=True)
    shutil.copytree(site.folder.keys, empty.keys)
    with pytest.raises(ConfigError, match="name the data folder"):
        open_interval(empty, "plaza", at(0), at(1), site.keys, tmp_path / "out")


def forget_before(site: Site, second: float, *, but_tars: bool = False) -> None:
    """What retention does when all that began before `second` is too old; with `but_tars` a copy of the files comes back."""
    clock = ManualClock(at(second) + 3600 * US_PER_S)
    with JournalWriter(site.folder.journal / "recorder", clock=clock) as journal:
        for record in (*site.epochs.values(), *site.books):
            journal.append(record)
    shutil.copytree(site.folder.root / "sealed", site.root / "copy")
    limits = RetentionLimits(CameraLimits(3600 * US_PER_S, 3600 * US_PER_S, 0), {}, 0)
    with Bookkeeper(site.folder, clock) as bookkeeper:
        retention = Retention(site.folder, bookkeeper, clock, limits, free_bytes=lambda _: 10**15)
        for _ in range(5):
            retention.run_pass()
        assert retention.status.problem == ""
    if but_tars:
        shutil.copytree(site.root / "copy", site.folder.root / "sealed", dirs_exist_ok=True)


def test_what_was_forgotten_is_said_plainly(site: Site, tmp_path: Path) -> None:
    forget_before(site, 7.0)
    with pytest.raises(ConfigError, match="was deleted when its time was over"):
        release(site, 0, 5, tmp_path / "out")
    rest = release(site, 0, 13, tmp_path / "rest")
    assert [(start, end) for start, end in rest.forgotten] == [(at(0), at(5))]
    assert json.loads((tmp_path / "rest" / "manifest.json").read_text())["forgotten"]


def test_a_copy_of_what_was_sealed_to_a_destroyed_epoch_is_refused_plainly(site: Site, tmp_path: Path) -> None:
    forget_before(site, 7.0, but_tars=True)
    with pytest.raises(ShareMismatch, match=r"epoch-0 was destroyed at .* when its time was over"):
        release(site, 0, 3, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_epochs_are_counted_on_after_all_were_destroyed(site: Site) -> None:
    forget_before(site, 1000.0)
    assert not list(site.folder.vault.rglob("share-*"))
    assert _next_sequence(site.folder, "plaza") == max(epoch.sequence for epoch in site.epochs.values()) + 1
