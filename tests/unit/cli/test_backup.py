"""`lamppost backup` on a node made by `lamppost init`, with real keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.access.desk import Desk
from lamppost.base.clock import SystemClock
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter

Lamppost = Callable[..., Result]


@pytest.fixture
def node(lamppost: Lamppost, here: Path) -> DataFolder:
    assert lamppost("init").exit_code == 0
    folder, clock = DataFolder(here / "lamppost-data"), SystemClock()
    with JournalWriter(folder.journal / "supervisor", clock=clock) as journal:
        journal.append(Act("a1", "started", clock.wall_us(), "lamppost serve", "node", "{}"))
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
    (here / "backups").mkdir()
    return folder


def acts(folder: DataFolder) -> list[str]:
    with Index(folder) as index:
        return [act.kind for act in index.acts()]


def test_it_says_that_the_vault_is_not_in_it_and_books_what_it_did(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    result = lamppost("backup", "create", "backups")
    assert result.exit_code == 0
    assert "Not in it: the vault" in result.output
    assert "signing key" in result.output
    assert acts(node) == ["started", "backup_created"]
    assert lamppost("check").exit_code == 0
    made = json.loads(lamppost("backup", "create", "--json", "two.tar").output)
    assert (made["path"], (here / "two.tar").stat().st_size) == ("two.tar", made["size_bytes"])


def test_keep_needs_a_folder_and_a_folder_of_data_is_needed(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    assert lamppost("backup", "create", "--keep", "3", "one.tar").exit_code == 2
    shutil.rmtree(node.keys)
    result = lamppost("backup", "create", "backups")
    assert (result.exit_code, "is not a data folder" in result.output) == (2, True)


def test_a_node_is_put_back_with_its_configuration(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    lamppost("backup", "create", "one.tar")
    configuration = (here / "lamppost.toml").read_bytes()
    (here / "lamppost.toml").unlink()
    shutil.rmtree(node.root)
    result = lamppost("backup", "restore", "one.tar")
    assert result.exit_code == 0, result.output
    assert "all agrees" in result.output
    assert (here / "lamppost.toml").read_bytes() == configuration
    assert acts(node) == ["started", "backup_restored"]
    assert lamppost("check").exit_code == 0


def test_a_refusal_is_one_line_and_changes_nothing(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    lamppost("backup", "create", "one.tar")
    result = lamppost("backup", "restore", "one.tar")
    assert result.exit_code == 1
    assert "--force" in result.output
    cut = (here / "one.tar").read_bytes()[:-30_000]
    (here / "cut.tar").write_bytes(cut)
    before = node.index.read_bytes()
    result = lamppost("backup", "restore", "--force", "cut.tar")
    assert result.exit_code == 1
    assert len(result.output.strip().splitlines()) == 1
    assert node.index.read_bytes() == before
    assert json.loads(lamppost("backup", "restore", "--force", "--json", "one.tar").output)["is_clean"] is True


def sign_anna_in(folder: DataFolder) -> str:
    """Set up the first user; the cookie of who has just done so."""
    with closing(Desk(folder, SystemClock())) as desk:
        return desk.use_link(desk.setup_link() or "", name="anna", password="seven quiet lanterns").cookie


def line_about_users(result: Result) -> str:
    (line,) = [line for line in result.output.splitlines() if line.startswith("Users: ")]
    return line


def test_one_line_tells_what_became_of_the_users(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    lamppost("backup", "create", "none.tar")
    cookie = sign_anna_in(node)
    made = lamppost("backup", "create", "one.tar")
    assert "users: 1" in made.output
    assert "who may sign in" in made.output
    result = lamppost("backup", "restore", "--force", "none.tar")
    assert "holds none" in line_about_users(result)
    result = lamppost("backup", "restore", "--force", "one.tar")
    assert result.exit_code == 0, result.output
    assert "Everybody is signed out" in line_about_users(result)
    assert "kept as access.db.replaced-" in result.output
    for path in node.index.parent.glob("index.db*"):
        path.unlink()
    assert "left as they are" in line_about_users(lamppost("backup", "restore", "one.tar"))
    with closing(Desk(node, SystemClock())) as desk:
        assert desk.of_session(cookie) is None
    with Index(node) as index:
        told = [json.loads(act.detail)["users"] for act in index.acts("backup_restored")]
    assert told == ["absent", "put_back", "left"]
    assert lamppost("check").exit_code == 0


def test_a_new_machine_has_users_and_the_passwords_that_the_configuration_names(lamppost: Lamppost, node: DataFolder, here: Path) -> None:
    sign_anna_in(node)
    node.camera_passwords.mkdir()
    password = node.camera_passwords / "bridge.0123abcd.password"
    password.write_text("open sesame\n")
    config = here / "lamppost.toml"
    with config.open("a") as file:
        file.write(f'\n[[camera]]\nname = "bridge"\nurl = "rtsp://192.0.2.1/main"\nusername = "a"\npassword_file = "{password}"\n')
    assert lamppost("backup", "create", "one.tar").exit_code == 0
    config.unlink()
    shutil.rmtree(node.root)
    result = lamppost("backup", "restore", "one.tar")
    assert result.exit_code == 0, result.output
    assert "passwords of cameras put back: 1" in result.output
    assert "open sesame" not in result.output
    assert password.read_text() == "open sesame\n"
    assert "anna: administrator of *" in lamppost("user", "list").output
