"""`lamppost camera import` tells every mistake and writes nothing, or writes all; what is exported is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from import_drawer import Drawer
from lamppost.base.clock import SystemClock
from lamppost.cli import device_import
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.pipeline.config_file import ConfigFile
from lamppost.store.journal import journal_files, read_journal

Lamppost = Callable[..., Result]
TABLE = """\
name,url,username,password,site,purpose
park,rtsp://10.1.0.2/live,ann,s3cret,Harbour,=cmd()
pier,rtsp://10.1.0.3/live,,,"Old, Town",
"""


@pytest.fixture
def config(here: Path, recipients: tuple[str, ...]) -> Path:
    path = here / "lamppost.toml"
    path.write_text(f'data = "data"\n[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\n')
    return path


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawer:
    made = Drawer()

    def opened(_folder: DataFolder, _clock: SystemClock) -> Drawer:
        return made

    monkeypatch.setattr(device_import, "FolderBooks", opened)
    return made


def names(config: Path) -> list[str]:
    return [camera.name for camera in ConfigFile(config).before.camera]


def acts(here: Path) -> list[tuple[str, str]]:
    files = journal_files(here / "data" / "journal" / "commands")
    return [(each.kind, each.subject) for file in files for each in read_journal(file).records if isinstance(each, Act)]


def test_a_dry_run_writes_nothing(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    (here / "c.csv").write_text(TABLE)
    before = config.read_text()
    result = lamppost("camera", "import", "c.csv", "--dry-run")
    assert (result.exit_code, config.read_text(), drawer.kept, acts(here)) == (0, before, {}, [])
    assert "line 2: park add rtsp://10.1.0.2/live Harbour" in result.stdout
    assert "2 added, 0 changed, 0 unchanged" in result.stdout
    assert "s3cret" not in result.output


def test_a_table_is_written_with_an_act_of_each_camera(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    (here / "c.csv").write_text(TABLE)
    result = lamppost("camera", "import", "c.csv", "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["added"], told["unchanged"], told["errors"], told["dry_run"]) == (0, 2, 0, [], False)
    assert names(config) == ["park", "pier"]
    assert acts(here) == [("camera_imported", "park"), ("camera_imported", "pier")]
    assert "s3cret" not in result.output
    assert not [path for path in here.rglob("*.jsonl") if b"s3cret" in path.read_bytes()]
    again = lamppost("camera", "import", "c.csv")
    assert "0 added, 0 changed, 2 unchanged" in again.stdout
    assert len(acts(here)) == 2


def test_what_is_exported_is_safe_and_taken_back(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    (here / "c.csv").write_text(TABLE)
    lamppost("camera", "import", "c.csv")
    exported = lamppost("camera", "export").stdout
    assert "s3cret" not in exported
    assert ",'=cmd()," in exported
    (here / "e.csv").write_bytes(exported.encode())
    result = lamppost("camera", "import", "e.csv")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "0 added, 0 changed, 2 unchanged.")


def test_every_mistake_is_a_line_and_nothing_is_written(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    (here / "c.csv").write_text(TABLE + "Bad Name,rtsp://8.8.8.8/,u,p4ss,,\npark,ftp://x/,,,,\n")
    result = lamppost("camera", "import", "c.csv")
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines[:-1]] == ["line 4, name", "line 4, url", "line 5, name", "line 5, url"]
    assert "4 mistakes in c.csv; nothing was written" in lines[-1]
    assert names(config) == []
    assert "p4ss" not in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "no file was given"),
        (("none.csv",), "none.csv cannot be read"),
        (("c.csv", "--profile", "dome"), "there is no profile 'dome'"),
        (("zip.csv",), "ZIP"),
        (("large.csv",), "larger than 4 MiB"),
    ],
)
def test_what_cannot_be_imported_is_one_line(
    lamppost: Lamppost, here: Path, config: Path, drawer: Drawer, arguments: tuple[str, ...], says: str
) -> None:
    (here / "c.csv").write_text(TABLE)
    (here / "zip.csv").write_bytes(b"PK\x03\x04" + bytes(1000))
    with (here / "large.csv").open("wb") as file:
        file.truncate(50 << 20)
    result = lamppost("camera", "import", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) <= 2


def test_a_template_is_read_and_has_no_camera(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    (here / "t.csv").write_bytes(lamppost("camera", "import", "--template").stdout.encode())
    result = lamppost("camera", "import", "t.csv")
    assert "no cameras" in result.stderr
    text = (here / "t.csv").read_text().replace("#plaza-north", "plaza-north").replace("\n#,", "\n,")
    (here / "t.csv").write_text(text)
    assert lamppost("camera", "import", "t.csv", "--dry-run").exit_code == 2, "its variable is not set"
    (here / "t.csv").write_text(text.replace("PIER_PASSWORD", ""))
    assert lamppost("camera", "import", "t.csv").exit_code == 0
    assert names(config) == ["plaza-north", "harbour-pier-3"]


def test_profiles_are_kept_used_and_removed(lamppost: Lamppost, here: Path, config: Path, drawer: Drawer) -> None:
    assert "no profile yet" in lamppost("camera", "profiles", "list").stdout
    assert lamppost("camera", "profiles", "set", "dome", "preset=all", "stream_path=/s{channel}", "contract=T 17").exit_code == 0
    assert json.loads(lamppost("camera", "profiles", "list", "--json").stdout)[0]["fields"]["preset"] == "all"
    (here / "c.csv").write_text("name,address\npark,10.1.0.2\n")
    assert lamppost("camera", "import", "c.csv", "--profile", "dome").exit_code == 0
    (park,) = ConfigFile(config).before.camera
    assert (park.url, park.preset, drawer.known["park"]) == ("rtsp://10.1.0.2/s1", "all", {"contract": "T 17"})
    assert lamppost("camera", "profiles", "remove", "dome").exit_code == 0
    assert lamppost("camera", "profiles", "remove", "dome").exit_code == 2
    assert [kind for kind, _ in acts(here)] == ["import_profile_changed", "camera_imported", "import_profile_changed"]


@pytest.mark.parametrize(
    "field", ["preset=none", "password=x", "stream_path=live", "stream_path=/{x}", "cost=much", "site", "sealed_days=0"]
)
def test_a_profile_that_cannot_be_is_refused(lamppost: Lamppost, config: Path, drawer: Drawer, field: str) -> None:
    result = lamppost("camera", "profiles", "set", "dome", field)
    assert (result.exit_code, drawer.profile) == (2, {})
    assert len(result.stderr.splitlines()) == 1
