"""Each thing that does not fit is one line that says what, where and what to do; a machine that fits gets none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.model.networks import PRIVATE
from lamppost.model.settings import Settings
from lamppost.pipeline import preflight
from lamppost.pipeline.preflight import look, needed_descriptors, week_share
from lamppost.store.rates import Rate

GB = 1_000_000_000
RECIPIENTS = [
    "age1dlyrzmflglgun8wg27pw0jrcuk55tjgyg3ccg0p6sp59evhvrveq78aury",
    "age1cy8su7y90zyy3r9ryryr8txk5vw0xe05m5ka88vtn7xu508fsazs9s5vlk",
]


@dataclass(frozen=True)
class Machine:
    """One on which everything fits, but for what a test changes."""

    swap: tuple[str, ...] = ()
    clock: bool | None = True
    free: int = 10_000 * GB
    same: bool = False
    writable: bool = True
    exposed: frozenset[Path] = frozenset()
    descriptors: int = 65536

    def plain_swap(self) -> tuple[str, ...]:
        return self.swap

    def is_clock_synchronised(self) -> bool | None:
        return self.clock

    def free_bytes(self, path: Path) -> int:
        return self.free

    def is_same_disk(self, one: Path, other: Path) -> bool:
        return self.same

    def may_write(self, folder: Path) -> bool:
        return self.writable

    def is_open_to_others(self, path: Path) -> bool:
        return path in self.exposed

    def most_descriptors(self) -> int:
        return self.descriptors


GOOD = Machine()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "vault").mkdir(parents=True)
    return folder


def site(data: Path, cameras: int = 1, **more: object) -> Settings:
    camera: object = [
        {"name": f"c{number}", "url": "rtsp://10.0.0.1/s", "password_file": f"/secrets/{number}"} for number in range(cameras)
    ]
    return Settings.model_validate({"data": data, "sealing": {"custodians": RECIPIENTS, "threshold": 2}, "camera": camera, **more})


@pytest.mark.parametrize(
    ("camera", "host", "why"),
    [
        ({"url": "rtsp://8.8.8.8/s"}, "8.8.8.8", "no camera network"),
        ({"url": "rtsp://127.0.0.1:8554/s"}, "127.0.0.1", "this machine itself"),
        ({"url": "rtsp://[::ffff:127.0.0.1]/s"}, "::ffff:127.0.0.1", "this machine itself"),
        ({"url": "rtsp://10.0.0.1/s", "sub_url": "rtsp://169.254.169.254/s"}, "169.254.169.254", "clouds"),
        ({"url": "rtsp://10.0.0.1/s", "device_url": "http://169.254.1.1"}, "169.254.1.1", "link-local"),
    ],
)
def test_a_camera_that_nothing_will_connect_to_is_told_once(data: Path, camera: dict[str, str], host: str, why: str) -> None:
    [line] = lines(site(data, camera=[{"name": "gate", **camera}]), GOOD)
    assert line.startswith(f"camera gate: nothing connects to {host}: ")
    assert why in line
    assert "`networks` of [devices]" in line
    assert lines(
        site(data, camera=[{"name": "gate", **camera}], devices={"networks": [*PRIVATE, f"{host}/{128 if ':' in host else 32}"]}), GOOD
    ) == ([line] if ":" in host else []), "an IPv4 address is judged as one"


def test_names_files_and_simulations_are_not_judged_beforehand(data: Path) -> None:
    for url in ("rtsp://camera.example/s", "sim://plaza", "file:street.mp4", "rtsp://localhost/s"):
        assert lines(site(data, camera=[{"name": "gate", "url": url}]), GOOD) == []


def lines(settings: Settings, here: Machine) -> list[str]:
    return [str(concern) for concern in look(settings, here)]


def test_where_everything_fits_nothing_is_said(data: Path) -> None:
    assert lines(site(data), GOOD) == []


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"swap": ("/dev/sda2",)}, "/dev/sda2", "swap is used and not encrypted"),
        ({"clock": False}, "the clock", "not synchronised"),
        ({"same": True}, "vault", "same disk as the footage"),
        ({"writable": False}, "data", "may not write"),
        ({"descriptors": 70}, "this user", "1 cameras may need 72"),
        ({"exposed": frozenset({Path("/secrets/0")})}, "/secrets/0", "other users of this machine may read"),
        ({"free": 10 * GB}, "data", "the retention asked takes 194 GB"),
    ],
)
def test_what_does_not_fit_is_one_line_with_place_and_remedy(data: Path, change: dict[str, object], where: str, what: str) -> None:
    found = lines(site(data), replace(GOOD, **change))
    assert found
    assert where in found[0].split(": ")[0]
    assert what in found[0]
    assert " — " in found[0]
    assert "\n" not in found[0]


def test_what_cannot_be_asked_is_no_concern(data: Path) -> None:
    assert lines(site(data), replace(GOOD, clock=None, descriptors=-1)) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "there is no data folder" in lines(site(tmp_path / "absent"), GOOD)[0]


def test_a_recorders_key_that_others_read_is_told(data: Path) -> None:
    (line,) = lines(site(data), replace(GOOD, exposed=frozenset({data / "keys" / "recorder.key"})))
    assert "chmod o=" in line


# The disk: bytes a second x seconds kept x share of the week, at most max_gb


def test_what_is_not_measured_is_assumed_and_said(data: Path) -> None:
    # (4 + 2) Mbit/s for three days: 194.4 GB; 1 GB stays free.
    assert lines(site(data), replace(GOOD, free=196 * GB)) == []
    (line,) = lines(site(data), replace(GOOD, free=194 * GB))
    assert "1 camera(s) not measured yet are taken for 4 Mbit/s" in line


def test_measured_rates_and_what_is_stored_already_count(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {("c0", Rendition.SEALED): Rate(50 * GB, 1_000_000), ("c0", Rendition.MASKED): Rate(10 * GB, 500_000)}
    monkeypatch.setattr(preflight, "camera_rates", lambda _folder: rates)
    # 1.5 MB/s for three days: 388.8 GB, of which 60 GB are there already.
    assert lines(site(data), replace(GOOD, free=330 * GB)) == []
    (line,) = lines(site(data), replace(GOOD, free=329 * GB))
    assert "389 GB" in line
    assert "388 GB" in line
    assert "taken for" not in line


def test_retention_schedules_and_limits_lower_the_need(data: Path) -> None:
    short = {"retention": {"sealed_days": 1, "masked_days": 0.5}}
    assert lines(site(data, **short), replace(GOOD, free=56 * GB)) == []
    assert lines(site(data, 2, retention={"max_gb": 5}), replace(GOOD, free=12 * GB)) == []
    half = site(data).camera[0].model_copy(update={"schedule": ("00:00-12:00",)})
    assert lines(site(data).model_copy(update={"camera": (half,)}), replace(GOOD, free=99 * GB)) == []


@pytest.mark.parametrize(
    ("schedule", "share"),
    [
        ((), 1.0),
        (("00:00-24:00",), 1.0),
        (("mon-fri 06:00-20:00",), 70 / 168),
        (("sat 22:00-02:00",), 4 / 168),
        (("sun 22:00-02:00",), 4 / 168),
    ],
)
def test_the_share_of_a_week(schedule: tuple[str, ...], share: float) -> None:
    for zone in ("UTC", "Asia/Kathmandu"):
        assert week_share(schedule, zone) == pytest.approx(share, abs=1e-6)


def test_a_damaged_index_is_told_and_the_rest_still_looked_at(data: Path) -> None:
    index = DataFolder(data).index
    index.parent.mkdir()
    index.write_bytes(b"no index" * 1000)
    found = lines(site(data), replace(GOOD, clock=False))
    assert any("not a database" in line for line in found)
    assert any("synchronised" in line for line in found)


def test_more_cameras_need_more_files() -> None:
    assert needed_descriptors(200) > needed_descriptors(100) > 100
