"""`lamppost backup` on a node made by `lamppost init`, with real keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

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
