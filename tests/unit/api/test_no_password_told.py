"""A marked password is given in every way there is, and looked for in everything that is answered, logged, recorded, kept or copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

import lamppost.api.camera_tests as camera_tests
from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.base.errors import CameraRefused, LamppostError
from lamppost.base.logging import configure_logging, get_logger
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.credentials import CredentialKeeper, with_passwords
from lamppost.pipeline.preflight import look
from lamppost.store.backup import create_backup

MARK = "kanarienvogel-42"


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """What this process logs, every level of it."""
    configure_logging(as_json=True, level="debug", process="test")
    yield capsys
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def everything_asked(node: ConfiguredNode) -> str:
    """Every GET that needs nothing but a camera's name, as one text."""
    answers: list[str] = []
    client = node.client()
    for path, methods in node.app.openapi()["paths"].items():
        asked = path.replace("{camera}", "plaza")
        if "get" in methods and "{" not in asked and not asked.endswith((".m3u8", ".mp4", ".jpg")):
            answer = client.get(asked)
            answers += [answer.text, repr(answer.headers)]
    return "\n".join(answers)


def test_no_password_is_told_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: pytest.CaptureFixture[str]) -> None:
    node = ConfiguredNode.configured(tmp_path)
    folder, client, told = node.context.folder, node.client(), list[str]()

    def refused(camera: CameraSettings, url: str, **_: object) -> None:
        assert camera.resolved_password() == MARK, "it reaches who connects"
        raise CameraRefused(f"the camera refuses rtsp://op:{MARK}@192.0.2.1/main", remedy="look at user and password")

    monkeypatch.setattr(camera_tests, "probe_stream", refused)

    def etag() -> dict[str, str]:
        return {"If-Match": client.get(f"{API}/cameras/plaza").json()["etag"]}

    asked = [
        ("PATCH", "/cameras/plaza", {"username": "op", "password": MARK}),
        ("PATCH", "/cameras/plaza", {"url": f"rtsp://op:{MARK}@192.0.2.1/main"}),
        ("PATCH", "/cameras/plaza", {"url": f"rtsp://op:{MARK}@192.0.2.1/main", "sealed_days": -1}),
        ("POST", "/cameras", {"name": "gate", "url": "rtsp://192.0.2.9/s", "username": "op", "password": MARK}),
        ("POST", "/cameras", {"name": "gate", "url": "rtsp://192.0.2.9/s", "password": MARK}),
        ("POST", "/cameras", {"name": "No Name", "url": f"rtsp://op:{MARK}@192.0.2.9/s"}),
        ("POST", "/cameras", {"name": "more", "url": "sim://plaza", "password": f"{MARK}\n{MARK}"}),
        ("POST", "/cameras/test", {"camera": "plaza", "url": "rtsp://192.0.2.1/main"}),
        ("POST", "/cameras/test", {"url": f"rtsp://op:{MARK}@192.0.2.1/main"}),
    ]
    for method, path, body in asked:
        answer = client.request(method, API + path, json=body, headers=etag() if method == "PATCH" else {})
        told.append(answer.text)
    assert [camera["has_password"] for camera in client.get(f"{API}/configuration").json()["tables"]["camera"]] == [True, False, True]
    told.append(everything_asked(node))

    # What others make of it: the supervisor's settings, a look before the start, a backup, a key that is lost.
    settings = load_settings(node.config)
    whole = with_passwords(settings, lambda *_: None)
    assert {camera.resolved_password() for camera in whole.camera} == {MARK, None}
    get_logger("test").info("settings", settings=whole, camera=whole.camera[0])
    told += [repr(settings), repr(whole), "\n".join(map(str, look(settings)))]
    for name in ("recorder.key", "recorder.pub"):
        (folder.keys / name).write_bytes(b"of one recorder\n")
    backup = create_backup(folder, tmp_path, clock=node.context.clock, version="1", config=node.config, with_access=False)
    folder.camera_key.write_text("0" * 64 + "\n")
    told += [client.post(f"{API}/cameras/test", json={"camera": "plaza", "url": "rtsp://192.0.2.1/main"}).text]
    told += [client.patch(f"{API}/cameras/plaza", json={"password": MARK}, headers=etag()).text]
    with CredentialKeeper(folder) as keeper:
        for ask in (
            lambda: keeper.password_of(ConfigFile(node.config).before.camera[0]),
            keeper.change_key,
            lambda: keeper.keep("x", MARK),
        ):
            with pytest.raises(LamppostError) as error:
                ask()
            told.append(f"{error.value} {error.value!r} {error.value.remedy}")
    told += [json.dumps(node.acts()), "".join(logged.readouterr())]
    assert MARK not in "\n".join(told)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert backup.path in files
    assert [path for path in files if MARK.encode() in path.read_bytes()] == []
    node.close()
