"""Rules are read, checked and written through the API; mistakes have places, and nobody's work is lost."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.api.permit import API
from served_node import ServedNode

URL = f"{API}/cameras/plaza/rules"
DOOR = {"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]}
BOOK = {"line": [DOOR]}


def put(node: ConfiguredNode, rules: dict[str, Any], *, camera: str = "plaza", who: str = "administrator@*") -> Any:
    url = f"{API}/cameras/{camera}/rules"
    return node.client(who).put(url, json={"rules": rules}, headers={"If-Match": node.client().get(url).headers["ETag"]})


def rules_file(node: ConfiguredNode, camera: str = "plaza") -> str | None:
    return {table["name"]: table for table in tomllib.loads(node.config.read_text())["camera"]}[camera].get("rules_file")


def test_a_camera_without_rules_gets_a_file_beside_the_configuration(configured: ConfiguredNode) -> None:
    empty = configured.client("viewer@*").get(URL).json()
    assert (empty["rules"]["line"], empty["file"]) == ([], None)
    answer = put(configured, BOOK)
    assert answer.status_code == 200, answer.text
    assert answer.json()["file"] == rules_file(configured) == "rules/plaza.toml"
    assert (configured.config.parent / "rules" / "plaza.toml").read_text() == '[[line]]\nname = "door"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n'
    assert "# The square, seen from the town hall." in configured.config.read_text()
    configured.take_over()
    assert configured.context.settings.camera[0].rules is not None
    assert configured.client().get(f"{API}/cameras/plaza").json()["has_rules"] is True
    (act,) = configured.acts()
    assert (act["kind"], act["subject"], act["detail"]) == ("rules_changed", "plaza", {"lines": 1, "zones": 0, "rules": 0})
    # What came can be sent back.
    again = put(configured, answer.json()["rules"])
    assert again.status_code == 200
    assert again.json()["etag"] == answer.json()["etag"]


def test_comments_of_the_file_stay(configured: ConfiguredNode) -> None:
    put(configured, BOOK)
    path = configured.config.parent / "rules" / "plaza.toml"
    path.write_text("# by Ada\n" + path.read_text().replace('"door"', '"door"  # the front'))
    assert put(configured, {"line": [DOOR, {"name": "two", "points": [[0, 0], [1, 1]]}]}).status_code == 200
    assert path.read_text().startswith('# by Ada\n[[line]]\nname = "door"  # the front\n')


def test_two_who_edit_at_once_are_told(configured: ConfiguredNode) -> None:
    client = configured.client()
    seen = client.get(URL).headers["ETag"]
    assert client.put(URL, json={"rules": BOOK}).status_code == 428
    assert client.put(URL, json={"rules": BOOK}, headers={"If-Match": seen}).status_code == 200
    assert client.put(URL, json={"rules": {"heat_map": {}}}, headers={"If-Match": seen}).status_code == 412
    now = client.get(URL).headers["ETag"]
    path = configured.config.parent / "rules" / "plaza.toml"
    path.write_text(path.read_text() + "# by hand\n")
    assert client.put(URL, json={"rules": {"heat_map": {}}}, headers={"If-Match": now}).status_code == 412
    assert "# by hand" in path.read_text()


def test_a_file_that_others_share_is_left_to_them(configured: ConfiguredNode) -> None:
    shared = configured.config.parent / "all.toml"
    shared.write_text('# for all\n[[line]]\nname = "door"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n')
    text = configured.config.read_text()
    configured.config.write_text(text.replace('name = "plaza"', 'name = "plaza"\nrules_file = "all.toml"').replace(
        'name = "bridge"', 'name = "bridge"\nrules_file = "all.toml"'))  # fmt: skip
    before = shared.read_text()
    assert put(configured, {"line": [{"name": "other", "points": [[0, 0], [1, 1]]}]}).status_code == 200
    assert shared.read_text() == before
    assert (rules_file(configured), rules_file(configured, "bridge")) == ("rules/plaza.toml", "all.toml")


def test_without_rules_nothing_is_counted_and_the_file_stays(configured: ConfiguredNode) -> None:
    put(configured, BOOK)
    assert put(configured, {}).json()["file"] is None
    assert rules_file(configured) is None
    assert (configured.config.parent / "rules" / "plaza.toml").exists()
    assert put(configured, {"heat_map": {}}).json()["file"] == "rules/plaza-2.toml"


MISTAKES = [
    ({"line": [DOOR | {"points": [[0.1, 0.5], [9, 0.5]]}]}, "rules.line.0.points.1.0"),
    ({"line": [DOOR, DOOR]}, "rules.line.1.name"),
    ({"line": [DOOR], "rule": [{"name": "r", "type": "dwell", "zone": "gate", "after_s": 1}]}, "rules.rule.0.zone"),
    ({"line": [DOOR], "rule": [{"name": "r", "type": "line_crosed", "line": "door"}]}, "rules.rule.0.type"),
    ({"line": [DOOR], "rule": [{"name": "r", "type": "line_crossed", "line": "door", "cooldown_s": -1}]}, "rules.rule.0.cooldown_s"),
    ({"lines": []}, "rules.lines"),
    ({"line": [DOOR], "calibration": {"points": []}}, "rules.calibration.points"),
    ({"line": [DOOR], "calibration": {"points": [{"image": [0.5, 0.5], "map_m": [0, 0]}] * 4}}, "rules.calibration"),
    ([], "rules"),
    (None, "rules"),
    ("kanarienvogel", "rules"),
]


@pytest.mark.parametrize(("rules", "at"), MISTAKES, ids=[at for _, at in MISTAKES])
def test_a_mistake_has_its_place_and_nothing_is_written(configured: ConfiguredNode, rules: Any, at: str) -> None:
    refused = put(configured, rules)
    assert refused.status_code == 422
    assert at in [error["at"] for error in refused.json()["errors"]]
    assert "kanarienvogel" not in refused.text
    assert rules_file(configured) is None
    checked = configured.client().post(f"{URL}/check", json={"rules": rules})
    assert checked.json()["errors"] == refused.json()["errors"]


def test_right_rules_have_no_mistakes(configured: ConfiguredNode) -> None:
    assert configured.client("analyst@*").post(f"{URL}/check", json={"rules": BOOK}).json() == {"errors": []}
    assert configured.client("viewer@*").post(f"{URL}/check", json={"rules": BOOK}).status_code == 403
    assert put(configured, BOOK, who="viewer@*").status_code == 403
    assert put(configured, BOOK, who="analyst@camera:bridge").status_code == 404
    assert put(configured, BOOK, who="analyst@camera:plaza").status_code == 200


def test_a_file_with_a_mistake_is_told_and_what_is_in_force_is_shown(configured: ConfiguredNode) -> None:
    put(configured, BOOK)
    configured.take_over()
    (configured.config.parent / "rules" / "plaza.toml").write_text("[[line")
    shown = configured.client().get(URL).json()
    assert [line["name"] for line in shown["rules"]["line"]] == ["door"]
    assert "not TOML" in shown["problem"]


def test_without_a_configuration_file_rules_are_shown(served: ServedNode) -> None:
    assert served.client().get(URL).json()["etag"] is None
    assert served.client().put(URL, json={"rules": BOOK}, headers={"If-Match": "*"}).status_code == 409


# Calibration

SQUARE = [{"image": [x, y], "map_m": [x * 100, y * 50]} for x, y in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))]


def calibration(node: ServedNode, points: list[dict[str, Any]], **size: int) -> Any:
    return node.client().post(f"{API}/cameras/plaza/calibration/check", json={"points": points, **size})


def test_points_that_fit_say_so_and_one_that_is_off_shows(served: ServedNode) -> None:
    fits = calibration(served, [*SQUARE, {"image": [0.5, 0.5], "map_m": [50, 25]}], width_px=1000, height_px=500).json()
    assert fits["error_m"] == pytest.approx(0, abs=1e-6)
    assert fits["error_px"] == pytest.approx(0, abs=1e-6)
    off = calibration(served, [*SQUARE, {"image": [0.5, 0.5], "map_m": [60, 25]}], width_px=1000, height_px=500).json()
    assert off["error_m"] > 1
    worst = max(off["points"], key=lambda point: point["residual_m"])
    assert off["points"].index(worst) == 4
    assert worst["residual_px"] == pytest.approx(worst["residual_m"] * 10, rel=0.3)
    assert len(off["homography"]) == 3


def test_the_size_of_the_picture_comes_from_the_camera(configured: ConfiguredNode) -> None:
    assert calibration(configured, SQUARE).json()["error_px"] is None
    recording = {"state": "recording", "codec": "h264", "width_px": 1000, "height_px": 500}
    configured.take_over(cameras={"plaza": {"recording": recording}})
    assert calibration(configured, SQUARE).json()["error_px"] == pytest.approx(0, abs=1e-6)


def test_points_that_cannot_be_are_told(served: ServedNode) -> None:
    in_line = [{"image": [0.1 * n, 0.1], "map_m": [n, 0]} for n in range(4)]
    refused = calibration(served, in_line)
    assert refused.status_code == 422
    assert "in a line" in refused.json()["detail"]
    assert calibration(served, SQUARE[:3]).status_code == 422
    assert calibration(served, [point | {"map_m": [(-1) ** n * 1e308, n]} for n, point in enumerate(SQUARE)]).status_code == 422
    mixed = calibration(served, [*SQUARE, {"image": [0.5, 0.5], "lat_lon": [52, 13]}])
    assert mixed.status_code == 422
    assert mixed.json()["errors"][0]["at"] == "body.points"
