"""What `lamppost init` writes can be read back, whatever it was given, and its comments are its defaults."""

from __future__ import annotations

import re
import tomllib

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lamppost.cli.template import SECTIONS, render_config
from lamppost.model.settings import Settings

RECIPIENTS = ("age1" + "q" * 58, "age1" + "p" * 58)
COMMENTED_DEFAULT = re.compile(r"^# (?=[a-z_]+ = )", re.MULTILINE)


def render(data: str = "lamppost-data", trial: bool = True, cameras: dict[str, str] | None = None) -> str:
    return render_config(data=data, custodians=RECIPIENTS, threshold=2, trial=trial, cameras=cameras or {})


def read(text: str) -> Settings:
    return Settings.model_validate(tomllib.loads(text))


def test_what_is_given_is_set() -> None:
    settings = read(render("footage", trial=True, cameras={"gate": "rtsp://192.0.2.1/s", "plaza": "sim://plaza"}))
    assert str(settings.data) == "footage"
    assert settings.sealing.custodians == RECIPIENTS
    assert (settings.sealing.threshold, settings.sealing.trial) == (2, True)
    assert [(camera.name, camera.url) for camera in settings.camera] == [("gate", "rtsp://192.0.2.1/s"), ("plaza", "sim://plaza")]


def test_uncommenting_every_default_changes_nothing() -> None:
    text = render(cameras={"gate": "rtsp://192.0.2.1/s"})
    uncommented, count = COMMENTED_DEFAULT.subn("", text)
    assert count >= 10
    assert read(uncommented) == read(text)


def test_every_setting_of_every_section_stands_there_with_its_description() -> None:
    text = render()
    flat = " ".join(line.removeprefix("# ") for line in text.splitlines())
    sections: dict[str, type[BaseModel]] = {**SECTIONS}
    assert set(sections) == {name for name in Settings.model_fields if name not in ("data", "timezone", "site", "camera", "notify")}
    for name, model in sections.items():
        assert f"\n[{name}]\n" in text
        for key, field in model.model_fields.items():
            assert re.search(rf"^(# )?{key} = ", text, re.MULTILINE), key
            assert field.description
            assert " ".join(field.description.split()) in " ".join(flat.split()), key


def test_lines_are_short_enough_to_read() -> None:
    assert max(len(line) for line in render().splitlines()) <= 100


printable = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


@given(st.dictionaries(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), printable, max_size=4), printable)
def test_any_text_comes_back_as_it_was(cameras: dict[str, str], data: str) -> None:
    tables = tomllib.loads(render(data, cameras=cameras))
    assert tables["data"] == data
    assert {camera["name"]: camera["url"] for camera in tables.get("camera", [])} == cameras


def test_quotes_backslashes_and_line_ends_cannot_break_out() -> None:
    url = 'rtsp://h/"\n[sealing]\nthreshold = 1 # \\ ' + "'''" + "\x7f\x00é🎥"
    assert tomllib.loads(render(cameras={"gate": url}))["camera"][0]["url"] == url
