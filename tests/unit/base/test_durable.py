"""A durable file is there after a power loss, or was never there: the order of system calls is the promise."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.durable import make_directory, remove_durable, sync_directory, write_durable
from lamppost.base.errors import StoreError


class Calls:
    """The real `os`, which writes down what it was asked and can be told to fail, before or after the deed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.made: list[str] = []
        self.fail: tuple[str, bool] | None = None  # which call, and whether it persisted all the same
        self._root = root
        self._names: dict[int, str] = {}
        for name in ("open", "write", "fsync", "close"):
            self._watch(monkeypatch, os, name)
        for name in ("rename", "unlink", "mkdir"):
            self._watch(monkeypatch, Path, name)

    def _watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            described = f"{name} {self._describe(first)}"
            self.made.append(described)
            is_failing = self.fail is not None and described.startswith(self.fail[0])
            if is_failing and self.fail is not None and not self.fail[1]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            result = real(first, *args, **kwargs)
            if name == "open":
                self._names[result] = self._describe(first)
            if is_failing:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return result

        monkeypatch.setattr(owner, name, call)

    def _describe(self, target: Any) -> str:
        if isinstance(target, int):
            return self._names.get(target, str(target))
        name = Path(target).relative_to(self._root).as_posix()
        return "STAGING" if name.endswith(".tmp") else name


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Calls]:
    with monkeypatch.context() as patch:
        yield Calls(patch, tmp_path)


def test_a_write_syncs_the_bytes_before_the_name_and_the_name_before_it_returns(calls: Calls, tmp_path: Path) -> None:
    write_durable(tmp_path / "file", b"content")
    assert calls.made == [
        "open STAGING",
        "write STAGING",
        "fsync STAGING",
        "close STAGING",
        "rename STAGING",
        "open .",
        "fsync .",
        "close .",
    ]
    assert (tmp_path / "file").read_bytes() == b"content"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_takes_two_calls_is_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:3]))
    write_durable(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"


FAILURES = ["open STAGING", "write STAGING", "fsync STAGING", "close STAGING", "rename STAGING", "fsync ."]


@pytest.mark.parametrize("call", FAILURES[:5])
def test_fails_and_is_lost_the_old_file_stays(calls: Calls, tmp_path: Path, call: str) -> None:
    write_durable(tmp_path / "file", b"old")
    calls.fail = (call, False)
    with pytest.raises(StoreError, match=r"cannot write .*file: Input/output error"):
        write_durable(tmp_path / "file", b"new")
    calls.fail = None
    assert (tmp_path / "file").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call", FAILURES)
def test_fails_but_persisted_the_file_is_whole_old_or_new(calls: Calls, tmp_path: Path, call: str) -> None:
    write_durable(tmp_path / "file", b"old")
    calls.fail = (call, True)
    with pytest.raises(StoreError, match="cannot write"):
        write_durable(tmp_path / "file", b"new")
    calls.fail = None
    is_named = call in ("rename STAGING", "fsync .")
    assert (tmp_path / "file").read_bytes() == (b"new" if is_named else b"old")
    # Doing it once more is the remedy, whatever persisted.
    write_durable(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_new_directory_is_durable_in_each_of_its_parents(calls: Calls, tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")
    assert calls.made == ["mkdir a", "open .", "fsync .", "close .", "mkdir a/b", "open a", "fsync a", "close a"]
    calls.made.clear()
    make_directory(tmp_path / "a" / "b")
    assert calls.made == []


def test_a_directory_that_another_made_meanwhile_is_fine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real: Callable[..., None] = Path.mkdir

    def mkdir(path: Path, *args: Any) -> None:
        real(path, *args)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    monkeypatch.setattr(Path, "mkdir", mkdir)
    make_directory(tmp_path / "a")
    assert (tmp_path / "a").is_dir()


def test_a_directory_that_cannot_be_made_is_told(calls: Calls, tmp_path: Path) -> None:
    calls.fail = ("mkdir a", False)
    with pytest.raises(StoreError, match=r"cannot create the folder .*a: Input/output error"):
        make_directory(tmp_path / "a")


def test_a_removal_is_durable_and_may_be_done_twice(calls: Calls, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    calls.made.clear()
    remove_durable(tmp_path / "file")
    assert calls.made == ["unlink file", "open .", "fsync .", "close ."]
    remove_durable(tmp_path / "file")


def test_a_failed_sync_of_a_directory_is_not_swallowed(calls: Calls, tmp_path: Path) -> None:
    calls.fail = ("fsync .", False)
    with pytest.raises(OSError, match="Input/output error"):
        sync_directory(tmp_path)
    assert calls.made[-1] == "close ."


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot remove"):
        remove_durable(tmp_path / "folder")
