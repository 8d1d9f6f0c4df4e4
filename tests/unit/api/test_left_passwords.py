"""A password of a camera that no configuration names, since a server was killed, is removed; no other file is touched."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from configured_node import CAMERAS, ConfiguredNode
from lamppost.api.camera_passwords import sweep_passwords
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.layout import DataFolder
from lamppost.pipeline.credentials import CredentialKeeper

NOW_US = 1_700_000_000_000_000


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keys" / "cameras"


def put(path: Path, *, age_s: float = 3600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("secret\n")
    at_s = NOW_US / 1e6 - age_s
    os.utime(path, (at_s, at_s))
    return path


def test_what_a_killed_server_left_is_removed_and_nothing_else(tmp_path: Path, keys: Path) -> None:
    named = put(keys / "plaza.0123abcd.password")
    text = CAMERAS.replace('url = "rtsp://192.0.2.1/main"', f'url = "rtsp://192.0.2.1/main"\npassword_file = "{named}"')
    node = ConfiguredNode.configured(tmp_path, text)
    left = [put(keys / "plaza.ffffffff.password"), put(keys / ".bridge.01234567.password.89abcdef.tmp")]
    stays = [
        named,
        put(keys / "plaza.eeeeeeee.password", age_s=30),
        put(keys / "plaza.password"),
        put(keys / "notes.txt"),
        put(keys / "plaza.0123abcd.password.old"),
    ]
    (keys / "plaza.dddddddd.password").mkdir()
    folder, config = node.context.folder, node.context.config
    assert sweep_passwords(folder, None, NOW_US) == 0
    assert config is not None
    whole = config.read_text()
    config.write_text("what = [")
    assert sweep_passwords(folder, config, NOW_US) == 0
    config.write_text(whole)
    assert all(path.exists() for path in left)
    assert sweep_passwords(folder, config, NOW_US) == 2
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in stays)
    assert (keys / "plaza.dddddddd.password").is_dir()
    assert sweep_passwords(folder, config, NOW_US) == 0
    node.close()


def test_an_encrypted_password_that_nothing_names_is_forgotten(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path / "data"), ManualClock(wall_us=NOW_US - 3600 * US_PER_S)
    with CredentialKeeper(folder, clock) as keeper:
        named, left = keeper.keep("plaza", "named"), keeper.keep("plaza", "left")
        clock.advance(3590)
        young = keeper.keep("plaza", "young")
    text = CAMERAS.replace('url = "rtsp://192.0.2.1/main"', f'url = "rtsp://192.0.2.1/main"\ncredential = "{named}"')
    node = ConfiguredNode.configured(tmp_path, text)
    assert sweep_passwords(folder, node.context.config, NOW_US) == 1
    with CredentialKeeper(folder) as keeper:
        assert {each.credential_id for each in keeper.kept()} == {named, young} - {left}
    node.close()


def test_a_node_without_such_files_is_left_alone(tmp_path: Path) -> None:
    node = ConfiguredNode.configured(tmp_path)
    assert sweep_passwords(node.context.folder, node.context.config, NOW_US) == 0
    node.close()
