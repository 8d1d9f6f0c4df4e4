"""`lamppost upgrade` says what it did; `test_upgrading.py` shows that it does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from lamppost.base.clock import SystemClock
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index_file import newest_revision

Lamppost = Callable[..., Result]


def test_an_index_of_this_version_is_left_as_it_is(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    assert "there is no index yet" in lamppost("upgrade").output
    Bookkeeper(DataFolder(here / "lamppost-data"), SystemClock()).close()
    result = lamppost("upgrade")
    assert (result.exit_code, "nothing to do" in result.output) == (0, True)
    assert json.loads(lamppost("upgrade", "--json").output) == {
        "from": newest_revision(),
        "to": newest_revision(),
        "backup": None,
        "encrypted": [],
    }


def test_a_folder_that_is_none_is_told(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    (here / "lamppost-data" / "keys" / "recorder.pub").unlink()
    assert lamppost("upgrade").exit_code == 2
