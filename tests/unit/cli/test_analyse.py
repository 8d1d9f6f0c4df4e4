"""`lamppost analyse`: a clip is counted as a camera would be, wrong input is one line, and a picture leaves masked only."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from lamppost.cli.main import app
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.vision import Kind

STREET = StreetSettings(seed=2, people=0, vehicles=1, width_px=640, height_px=360, fps=10)
SECONDS = 40
RULES = """
[[line]]
name = "middle"
points = [[0.5, 0.0], [0.5, 1.0]]
anchor = "centre"

[[zone]]
name = "road"
points = [[0.2, 0.2], [0.8, 0.2], [0.8, 1.0], [0.2, 1.0]]
anchor = "centre"

[[rule]]
type = "line_crossed"
name = "passed"
line = "middle"
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["analyse", *map(str, arguments)])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One car that passes over and over, filmed by a camera that stands still."""
    path, street = tmp_path_factory.mktemp("clips") / "car.mp4", Street(STREET)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=STREET.fps, options={"preset": "ultrafast", "crf": "20"})
        stream.width, stream.height, stream.pix_fmt = STREET.width_px, STREET.height_px, "yuv420p"
        for index in range(SECONDS * STREET.fps):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(street.frame(index), format="yuv420p")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def passings() -> int:
    """How often the car really crosses the middle of the picture."""
    street, found, last = Street(STREET), 0, None
    for index in range(SECONDS * STREET.fps):
        (centre,) = street.centres(index).values()
        found += last is not None and abs(centre - last) < 0.3 and (last < 0.5) != (centre < 0.5)
        last = centre
    return found


def test_it_counts_what_really_passed(clip: Path, rules: Path, tmp_path: Path) -> None:
    result = run(clip, "--rules", rules, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    found = json.loads((tmp_path / "out.json").read_text())
    middle = found["lines"]["middle"]
    assert middle["forward"].get("object", 0) + middle["backward"].get("object", 0) == passings() > 2
    assert sum(event["count"] for event in found["events"]) == passings()
    assert found["frames"] == SECONDS * STREET.fps
    assert found["counted_by"] == {"model": "motion", "sha256": None, "interval_s": 0.1}
    assert sum(minute["observed_s"] for minute in found["minutes"] if minute["place"] == "middle") == pytest.approx(SECONDS, abs=1)
    assert "middle" in result.output
    assert "line_crossed" in result.output


def test_nothing_in_it_tells_one_thing_from_another(clip: Path, rules: Path, tmp_path: Path) -> None:
    run(clip, "--rules", rules, "--json", tmp_path / "out.json")

    def keys(value: object) -> set[str]:
        if isinstance(value, dict):
            return set(value) | {key for each in value.values() for key in keys(each)}
        return {key for each in value for key in keys(each)} if isinstance(value, list) else set()

    assert not {
        key for key in keys(json.loads((tmp_path / "out.json").read_text())) if "track" in key or "box" in key or key in ("x", "y", "id")
    }


def test_the_same_clip_gives_the_same_counts_with_a_video_and_without(clip: Path, rules: Path, tmp_path: Path) -> None:
    plain = json.loads(run(clip, "--rules", rules, "--json", "-").stdout)
    result = run(clip, "--rules", rules, "--json", tmp_path / "out.json", "--video", tmp_path / "out.mp4", "--plot", tmp_path / "out.svg")
    assert result.exit_code == 0, result.output
    masked = json.loads((tmp_path / "out.json").read_text())
    assert (masked["lines"], masked["events"], masked["things"]) == (plain["lines"], plain["events"], plain["things"])
    assert "<svg" in (tmp_path / "out.svg").read_text()[:2000]


def test_the_video_is_masked_where_the_car_is(clip: Path, rules: Path, tmp_path: Path) -> None:
    assert run(clip, "--rules", rules, "--video", tmp_path / "out.mp4").exit_code == 0
    street, checked = Street(STREET), 0
    with av.open(str(tmp_path / "out.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            (truth,) = [each for each in street.truth(index) if each.kind is Kind.VEHICLE] or [None]
            if truth is None or truth.box.width < 60 or not 0.3 < (truth.box.x0 + truth.box.x1) / 2 / STREET.width_px < 0.45 or index % 5:
                continue
            x0, y0, x1, y1 = (int(value) for value in (truth.box.x0 + 8, truth.box.y0 + 8, truth.box.x1 - 8, truth.box.y1 - 8))
            seen = frame.to_ndarray(format="yuv420p")[: STREET.height_px][y0:y1, x0:x1].astype(int)
            real = street.frame(index)[: STREET.height_px][y0:y1, x0:x1].astype(int)
            # The outline of a zone may lie on the mask; of the car itself there is nothing.
            plain = np.median(seen)
            assert np.mean(np.abs(seen - plain) < 12) > 0.9
            assert real.std() > 12, "where the car is, there is something to hide"
            checked += 1
    assert checked > 3


def test_a_time_of_day_makes_minutes_of_the_clock(clip: Path, rules: Path) -> None:
    found = json.loads(run(clip, "--rules", rules, "--json", "-", "--start", "2026-05-04T08:00:30+02:00").stdout)
    assert found["started"] == "2026-05-04T06:00:30.000Z"
    assert {minute["minute"] for minute in found["minutes"]} == {"2026-05-04T06:00:00.000Z", "2026-05-04T06:01:00.000Z"}


def test_without_rules_what_comes_and_goes_is_counted(clip: Path) -> None:
    result = run(clip)
    assert result.exit_code == 0, result.output
    assert "followed:" in result.output
    assert "picture" in result.output


def test_a_simulated_street_is_a_clip_as_well(rules: Path) -> None:
    found = json.loads(run("sim://plaza?seconds=4&width=640&height=360&fps=10", "--rules", rules, "--json", "-").stdout)
    assert found["frames"] == 40


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nothing.mp4"], "is not a file"),
        (["rtsp://192.0.2.1/x"], "is no clip"),
        (["{clip}", "--rules", "nothing.toml"], "there is no rules file"),
        (["{clip}", "--model", "none"], "there is no model to count with 'none'"),
        (["{clip}", "--video", "out.avi"], "cannot hold the masked video"),
        (["{clip}", "--plot", "out.pdf"], "neither a .png nor an .svg"),
        (["{clip}", "--json", "{clip}"], "is the clip itself"),
        (["{clip}", "--json", "/nowhere/out.json"], "does not exist"),
        (["{clip}", "--start", "noon"], "is not a time"),
        (["sim://nowhere"], "no such simulated place"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], line: str, clip: Path) -> None:
    result = run(*(argument.replace("{clip}", str(clip)) for argument in arguments))
    assert result.exit_code != 0
    assert line in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_mistake_in_the_rules_names_its_line(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(RULES.replace('line = "middle"', 'line = "midle"'))
    result = run(clip, "--rules", tmp_path / "rules.toml")
    assert "line 15" in result.output
    assert "did you mean 'middle'" in " ".join(result.output.split())


def test_nothing_is_overwritten_unless_asked_for(clip: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    target.write_text("mine")
    assert "exists" in run(clip, "--json", target).output
    assert target.read_text() == "mine"
    assert run(clip, "--json", target, "--overwrite").exit_code == 0
    assert json.loads(target.read_text())["frames"] == SECONDS * STREET.fps


def test_a_rule_that_can_find_nothing_is_told(clip: Path, tmp_path: Path) -> None:
    rule = '\n[[rule]]\ntype = "stopped_vehicle"\nname = "parked"\nzone = "road"\n'
    (tmp_path / "rules.toml").write_text(RULES + rule)
    (tmp_path / "kinds.toml").write_text(RULES.replace('name = "road"', 'name = "road"\nkinds = ["object"]') + rule)
    assert "'parked' needs to know kinds" in " ".join(run(clip, "--rules", tmp_path / "rules.toml").output.split())
    assert "needs to know kinds" not in run(clip, "--rules", tmp_path / "kinds.toml").output
