"""A mistake in `lamppost.toml` is told in one line, by its key and place, and never with a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lamppost.base.errors import ConfigError
from lamppost.pipeline.configuration import check_cameras, load_settings, load_whole, named_files

CANARY = "kanarienvogel-42"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recipients() -> tuple[str, ...]:
    return tuple("age1" + letter * 58 for letter in "qpz")


@pytest.fixture
def write(here: Path, recipients: tuple[str, ...]):
    """Write a configuration: the sealing that every one needs, then what is given."""

    def write(text: str = "", *, head: str = "", sealing: str | None = None) -> Path:
        if sealing is None:
            sealing = f"[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\n"
        path = here / "lamppost.toml"
        path.write_text(f"{head}\n{sealing}\n{text}\n", encoding="utf-8")
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(path)
    return str(caught.value)


# What is right


def test_paths_are_relative_to_the_file(write, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write('[[camera]]\nname = "gate"\nurl = "rtsp://h/s"\npassword_file = "secrets/gate"', head='data = "footage"')
    monkeypatch.chdir("/")
    settings = load_settings(path)
    assert settings.data == here / "footage"
    assert settings.camera[0].password_file == here / "secrets" / "gate"


def test_everything_but_the_sealing_has_a_default(write) -> None:
    settings = load_settings(write())
    assert settings.camera == ()
    assert settings.recording.segment_s == 60
    assert not settings.sealing.trial


# What is wrong

CAMERA = '[[camera]]\nname = "gate"\nurl = "rtsp://192.0.2.1/s"\n'
MISTAKES = [
    ('[[camera]]\nname = "gate"', "camera[1].url is missing"),
    ('[[camera]]\nurl = "rtsp://h/s"', "camera[1].name is missing"),
    (CAMERA + '[[camera]]\nname = "Plaza North"\nurl = "rtsp://h/s"', "camera[2].name: "),
    (CAMERA + '[[camera]]\nname = "two"\nurl = "http://h/s"', "camera[2].url: the scheme 'http' is not read"),
    (CAMERA + "usename = 'x'", "camera[1].usename is not a setting; did you mean 'username'?"),
    (CAMERA + "zzz = 1", "camera[1].zzz is not a setting; known here: name, url"),
    (CAMERA + "preset = 'everything'", "camera[1].preset: "),
    (CAMERA + "password = 5", "camera[1].password: "),
    (CAMERA + "password = 'x'\npassword_file = 'y'", "camera[1]: give one of password, password_file and credential"),
    (CAMERA + CAMERA, "two cameras are called 'gate'"),
    ("[recording]\nsegment_s = 1", "recording.segment_s: "),
    ("[recording]\nsegment_s = 'long'", "recording.segment_s: "),
    ("[recording]\nsegments = 5", "recording.segments is not a setting; did you mean 'segment_s'?"),
    ("[masking]\npreset = 'blur'", "masking.preset: "),
    ("[maskin]\npreset = 'all'", "maskin is not a setting; did you mean 'masking'?"),
    ("[log]\nlevel = 'loud'", "log.level: "),
    ("camera = 5", "camera"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES, ids=[said.strip(": ") for _, said in MISTAKES])
def test_a_mistake_is_one_line_with_its_place(write, text: str, said: str) -> None:
    path = write(text)
    message = refusal(path)
    assert said in message
    assert message.startswith(f"{path}: ")
    assert len(message.splitlines()) == 1


def test_each_mistake_has_its_line(write) -> None:
    lines = refusal(write("[recording]\nsegment_s = 1\ntimeout_s = 99\n[masking]\nlook_bak_s = 1")).splitlines()
    assert len(lines) == 3
    for key in ("recording.segment_s", "recording.timeout_s", "masking.look_bak_s"):
        assert sum(key in line for line in lines) == 1


def test_a_missing_sealing_is_named(write) -> None:
    assert "sealing is missing" in refusal(write(sealing=""))


@pytest.mark.parametrize(("threshold", "count"), [(1, 3), (4, 3), (2, 1), (0, 2)])
def test_one_alone_or_more_than_all_cannot_open(write, recipients: tuple[str, ...], threshold: int, count: int) -> None:
    sealing = f"[sealing]\ncustodians = {json.dumps(recipients[:count])}\nthreshold = {threshold}\n"
    assert "sealing" in refusal(write(sealing=sealing))


def test_the_same_custodian_twice_is_refused(write, recipients: tuple[str, ...]) -> None:
    sealing = f"[sealing]\ncustodians = {json.dumps([recipients[0]] * 2)}\nthreshold = 2\n"
    assert "twice" in refusal(write(sealing=sealing))


def test_a_mistake_names_the_line_it_stands_in(write) -> None:
    path = write(CAMERA + "preset = 'all'\nusename = 'x'\n[recording]\n\nsegment_s = 1")
    wrong = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line.startswith(("usename", "segment_s"))]
    numbers = [line.removeprefix(f"{path}: line ").split(":")[0] for line in refusal(path).splitlines()]
    assert sorted(map(int, numbers)) == wrong


def test_no_file_and_no_text_are_told_apart(here: Path) -> None:
    assert "lamppost init" in refusal(here / "absent.toml")
    (here / "binary.toml").write_bytes(b"\xff\xfe\x00" + CANARY.encode())
    assert CANARY not in refusal(here / "binary.toml")
    assert "cannot be read" in refusal(here)


# Rules

RULES = '[[line]]\nname = "door"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n'


def test_the_rules_of_each_camera_are_read_from_beside_the_configuration(write, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "rules").mkdir()
    (here / "rules" / "gate.toml").write_text(RULES)
    path = write(CAMERA + 'rules_file = "rules/gate.toml"\n' + CAMERA.replace("gate", "plaza"))
    monkeypatch.chdir("/")
    gate, plaza = load_whole(path).camera
    assert gate.rules is not None
    assert [line.name for line in gate.rules.line] == ["door"]
    assert plaza.rules is None
    assert load_settings(path).camera[0].rules is None, "who only looks at what was recorded is not kept from it by a wrong rule"
    assert named_files(path) == (here / "rules" / "gate.toml",)
    path.write_text("[")
    assert named_files(path) == ()


def test_mistakes_in_all_rules_files_are_told_at_once_and_each_file_once(write, here: Path) -> None:
    (here / "one.toml").write_text(RULES + "kind = 1\nankor = 2\n")
    (here / "two.toml").write_text("[[line")
    tables = [
        CAMERA.replace("gate", f"gate-{number}") + f'rules_file = "{name}.toml"\n' for number, name in enumerate(("one", "two", "one"))
    ]
    path = write("".join(tables))
    with pytest.raises(ConfigError) as caught:
        load_whole(path)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        [str(here / "one.toml"), "line 4"], [str(here / "one.toml"), "line 5"], [str(here / "two.toml"), "line 1"]
    ]  # fmt: skip


def test_rules_stand_in_a_file_of_their_own(write) -> None:
    message = refusal(write(CAMERA + f"rules = {{ line = [{{ name = '{CANARY}' }}] }}\nusename = 'x'"))
    first, second = message.splitlines()
    assert "camera[1].rules is not a setting: what it would hold stands in a file of its own, which rules_file names" in first
    assert "did you mean 'username'" in second
    assert CANARY not in message
    assert "did you mean 'rules_file'" in refusal(write(CAMERA + "rules_fil = 'x'"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('counting_model = "yolo"', "there is no model to count with 'yolo'"),
        ('counting_model = "centerface"', "the model 'centerface' finds nothing that is counted"),
        (
            '[analysis]\nmodel = "yolox-nano"',
            "the model to count with 'yolox-nano' is not here — lamppost model pull yolox-nano",
        ),
    ],
)
def test_a_model_that_cannot_count_is_refused_before_anything_starts(write, here: Path, more: str, said: str) -> None:
    (here / "rules.toml").write_text(RULES)
    with pytest.raises(ConfigError) as caught:
        load_whole(write(f'{CAMERA}rules_file = "rules.toml"\n{more}'))
    assert str(caught.value).startswith(f"camera gate: {said}")
    load_whole(write(f"{CAMERA}{more}"))  # nothing is counted there


def test_a_camera_may_count_by_what_moves_though_others_have_a_model(write, here: Path) -> None:
    (here / "rules.toml").write_text(RULES)
    load_whole(write(CAMERA + 'rules_file = "rules.toml"\ncounting_model = ""\n[analysis]\nmodel = "yolox-nano"'))


# Secrets


@pytest.mark.parametrize(
    "text",
    [
        f"{CAMERA}password = {CANARY}",
        f'{CAMERA}password = "{CANARY}',
        f"{CAMERA}password = '{CANARY}' x",
        f'{CAMERA}password = "{CANARY}\\q"',
        f'{CAMERA}password = "{CANARY}"\npassword = "{CANARY}"',
        f'{CAMERA}password = "{CANARY}" password_file = "y"',
        f'{CAMERA}password = ["{CANARY}"]',
        f'{CAMERA}password = {{ value = "{CANARY}" }}',
        f'{CAMERA}pasword = "{CANARY}"',
        f'{CAMERA}password = "{CANARY}"\npassword_file = "y"',
        f'{CAMERA}password_file = {{ value = "{CANARY}" }}',
        f'{CAMERA}username = ["{CANARY}"]',
        f'{CAMERA}preset = "{CANARY}"',
        f'[[camera]]\nname = "gate"\nurl = "http://op:{CANARY}@192.0.2.1/s"',
        f'[[camera]]\nname = "gate"\nurl = "rtsp://op:{CANARY}@[192.0.2.1/s"',
        f'[[camera]]\nname = "gate"\nurl = "op:{CANARY}@192.0.2.1/s"',
        f'[[camera]]\nname = "Gate"\nurl = "rtsp://op:{CANARY}@192.0.2.1/s"',
        f'[[camera]]\nname = ["{CANARY}"]\nurl = "rtsp://h/s"',
        f'camera = "{CANARY}"',
        f'[recording]\nsegment_s = "{CANARY}"',
        f'[masking]\npreset = "{CANARY}"',
        f'[log]\nlevel = "{CANARY}"',
        f'{CAMERA}password = "{CANARY}\n\x01',
        f'[password-{CANARY[:3]}\n"{CANARY}"',
    ],
)
def test_no_value_is_ever_shown(write, text: str) -> None:
    message = refusal(write(text))
    assert CANARY not in message
    assert "lamppost.toml" in message


@pytest.mark.parametrize("form", ["{}", " {}", "{} ", "# {}", "key: {}"])
def test_a_secret_key_given_as_custodian_is_never_echoed(write, recipients: tuple[str, ...], form: str) -> None:
    body = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2
    for key in (f"AGE-SECRET-KEY-1{body}", f"age-secret-key-1{body.lower()}", body):
        sealing = f"[sealing]\ncustodians = {json.dumps([recipients[0], form.format(key)])}\nthreshold = 2\n"
        message = refusal(write(sealing=sealing))
        assert "sealing.custodians: " in message
        assert body[:4] not in message.upper()


def test_an_exposed_secret_key_is_called_that(write, recipients: tuple[str, ...]) -> None:
    sealing = f'[sealing]\ncustodians = ["{recipients[0]}", "AGE-SECRET-KEY-1{"Q" * 58}"]\nthreshold = 2\n'
    assert "treat that key as exposed" in refusal(write(sealing=sealing))


@pytest.mark.parametrize("text", ["x = 1" + "0" * 5000, "x = " + "[" * 5000, "x = 2026-13-45"])
def test_strange_toml_is_no_bug(write, text: str) -> None:
    assert "this is not TOML" in refusal(write(head=text))


# Cameras before a start


def load_one(write, entry: str):
    return load_settings(write(f'[[camera]]\nname = "gate"\nurl = "rtsp://192.0.2.1/s"\n{entry}'))


def test_a_password_file_is_read_by_its_first_line(write, here: Path) -> None:
    (here / "secret").write_text(f"{CANARY}\nand a comment\n")
    settings = load_one(write, 'password_file = "secret"')
    assert settings.camera[0].resolved_password() == CANARY
    assert CANARY not in repr(settings)
    check_cameras(settings)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"  \nsecond", b"\xff\xfe"])
def test_a_password_file_that_holds_none_is_named_with_its_camera(write, here: Path, content: bytes | None) -> None:
    if content is not None:
        (here / "secret").write_bytes(content)
    with pytest.raises(ConfigError, match="camera gate") as caught:
        check_cameras(load_one(write, 'password_file = "secret"'))
    assert "secret" in str(caught.value)


@pytest.mark.parametrize("url", ["rtsp://", "rtsp:///stream", f"rtsp://op:{CANARY}@:554/s", f"rtsp://op:{CANARY}@h:port/s", "file:"])
def test_an_address_without_a_place_is_refused_before_anything_starts(write, url: str) -> None:
    settings = load_settings(write(f'[[camera]]\nname = "gate"\nurl = "{url}"'))
    with pytest.raises(ConfigError, match="camera gate") as caught:
        check_cameras(settings)
    assert CANARY not in str(caught.value)
