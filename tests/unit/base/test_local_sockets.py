"""A socket's name leads to its present owner, whatever was there before and however long the folder's name is."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from lamppost.base.errors import StoreError
from lamppost.base.local_sockets import LONGEST_NAME_BYTES, LocalListener, connect


def is_reached(listener: LocalListener, path: Path) -> bool:
    with connect(path) as end:
        accepted, _ = listener.socket.accept()
        with accepted:
            accepted.send(b"x")
            return end.recv(1) == b"x"


@pytest.mark.parametrize("depth", [1, 40])
def test_it_is_reached_however_long_its_name_is_and_by_nobody_else(tmp_path: Path, depth: int) -> None:
    path = tmp_path.joinpath(*["folder"] * depth) / "gate.sock"
    assert (len(str(path)) > LONGEST_NAME_BYTES) == (depth > 1)
    listener = LocalListener(path)
    assert is_reached(listener, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    listener.close()
    listener.close()
    assert not path.exists()


def test_the_socket_of_a_dead_owner_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "live" / "gate.sock"
    dead = LocalListener(path)
    dead.socket.close()  # as a kill does
    with pytest.raises(StoreError, match="nobody listens"):
        connect(path)
    listener = LocalListener(path)
    assert is_reached(listener, path)
    listener.close()


def test_one_that_goes_late_leaves_the_name_to_its_successor(tmp_path: Path) -> None:
    path = tmp_path / "live" / "gate.sock"
    former = LocalListener(path)
    successor = LocalListener(path)
    assert not former.is_in_place()
    former.close()
    assert successor.is_in_place()
    assert is_reached(successor, path)
    successor.close()


def test_a_folder_that_takes_no_socket_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "gate.sock").mkdir()
    with pytest.raises(StoreError, match="no socket can be made"):
        LocalListener(tmp_path / "live" / "gate.sock")


def test_it_is_a_stream_socket_that_never_waits(tmp_path: Path) -> None:
    listener = LocalListener(tmp_path / "gate.sock")
    assert listener.socket.type == socket.SOCK_STREAM
    with pytest.raises(BlockingIOError):
        listener.socket.accept()
    listener.close()
