"""Cameras are turned by who may, while their picture is covered, and by nobody and nothing else; each turn is on the record once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.api.ptz import steering_of
from lamppost.base.clock import ManualClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.pipeline.covering import Covering
from lamppost.pipeline.helm import CALL_S, LONGEST_TRIP_S, SETTLE_S, UNTOLD_TRIP_S
from loopback import LOOPBACK

PASSWORD = "kanarienvogel-geheim-1"
OLGA = "ptz_operator@camera:plaza"
PTZ = "/api/v1/cameras/plaza/ptz"


class Analyst:
    """Covers what it is told to, and answers, unless it is dead; notes what the device had been asked by then."""

    def __init__(self, covering: Covering, device: SimulatedCamera) -> None:
        self.covering, self.device = covering, device
        self.is_dead = False
        self.covers: list[tuple[str, float]] = []
        self.moved_before: list[int] = []
        covering.connect(self.take)

    def take(self, word: dict[str, Any]) -> bool:
        if not self.is_dead:
            self.covers.append((word["camera"], round(word["for_s"], 1)))
            self.moved_before.append(len(moves(self.device)))
            self.covering.take_answer(word["number"])
        return True


def moves(device: SimulatedCamera) -> list[str]:
    """What has turned it."""
    asked = (request.operation.partition(":")[2] for request in device.requests)
    return [operation for operation in asked if operation in ("ContinuousMove", "GotoPreset")]


@pytest.fixture
def device() -> Iterator[SimulatedCamera]:
    with SimulatedCamera("onvif", password=PASSWORD) as made:
        yield made


@pytest.fixture
def node(tmp_path: Path, device: SimulatedCamera, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConfiguredNode]:
    monkeypatch.setattr("lamppost.pipeline.steering._start_thread", lambda _body, _name: None)
    text = f"""\
[devices]
networks = ["{LOOPBACK}"]

[[camera]]
name = "plaza"
url = "rtsp://127.0.0.1:1/main"
username = "admin"
password = "{PASSWORD}"
device_url = "{device.base}"

[[camera]]
name = "street"
url = "sim://plaza?seed=2"
"""
    made = ConfiguredNode.configured(tmp_path, text)
    made.context.keep(Covering, lambda: Covering(patience_s=0.05))
    yield made
    made.close()


@pytest.fixture
def analyst(node: ConfiguredNode, device: SimulatedCamera) -> Analyst:
    return Analyst(node.context.keep(Covering, Covering), device)


def later(node: ConfiguredNode, for_s: float) -> None:
    """Time passes, and the helm is looked after."""
    clock = node.context.clock
    assert isinstance(clock, ManualClock)
    helm = steering_of(node.context).helm("plaza")
    for _ in range(round(for_s / 0.5)):
        clock.advance(0.5)
        helm.look()


def steered(node: ConfiguredNode) -> list[tuple[str, dict[str, Any]]]:
    return [(act["actor"], act["detail"]) for act in node.acts() if act["kind"] == "camera_steered"]


def test_what_can_be_done_with_a_camera_is_told(node: ConfiguredNode) -> None:
    answer = node.client(OLGA).get(PTZ).json()
    assert answer["has_ptz"]
    assert {preset["name"] for preset in answer["presets"]} == {"Square", "Bridge"}
    assert (answer["tours"], answer["is_moving"], answer["problem"]) == ([], False, "")
    street = node.client("ptz_operator@*").get("/api/v1/cameras/street/ptz").json()
    assert not street["has_ptz"]
    assert "no device" in street["problem"]


@pytest.mark.parametrize("who", ["operator@*", "viewer@*", "analyst@*", "privacy_officer@*", "ptz_operator@camera:street"])
def test_nobody_else_turns_it(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst, who: str) -> None:
    client = node.client(who)
    answers = [client.post(f"{PTZ}/move", json={"pan": 1, "for_s": 1}), client.post(f"{PTZ}/preset", json={"token": "1"}), client.get(PTZ)]
    assert {answer.status_code for answer in answers} <= {403, 404}
    assert device.requests == ()
    assert analyst.covers == []


def test_it_is_covered_before_it_moves_and_longer_than_it_can_move(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    answer = node.client(OLGA).post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 1.0})
    assert (answer.status_code, answer.json()) == (200, {"is_moving": True})
    assert moves(device) == ["ContinuousMove"]
    assert analyst.moved_before == [0]
    assert analyst.covers == [("plaza", CALL_S + 1.0 + SETTLE_S)]
    assert node.client(OLGA).post(f"{PTZ}/preset", json={"token": "1"}).status_code == 200
    assert analyst.moved_before == [0, 1]
    assert analyst.covers[-1] == ("plaza", CALL_S + LONGEST_TRIP_S + SETTLE_S)


def test_another_camera_of_the_same_device_is_covered_too_before_it_moves(
    node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst
) -> None:
    twin = f'[[camera]]\nname = "twin"\nurl = "rtsp://127.0.0.1:1/elsewhere"\ndevice_url = "{device.base}"\n'
    node.config.write_text(f"{node.config.read_text()}\n{twin}")
    node.take_over()
    assert node.client(OLGA).post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 1.0}).status_code == 200
    assert [camera for camera, _ in analyst.covers] == ["plaza", "twin"]
    assert analyst.moved_before == [0, 0]


def test_where_nobody_says_that_it_is_covered_nothing_moves(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    analyst.is_dead = True
    for path, body in (("move", {"tilt": 1, "for_s": 1}), ("preset", {"token": "1"})):
        answer = node.client(OLGA).post(f"{PTZ}/{path}", json=body)
        assert (answer.status_code, answer.json()["type"]) == (503, "urn:lamppost:problem:not-covered")
        assert "cannot be covered" in answer.text
    assert moves(device) == []
    assert node.client(OLGA).post(f"{PTZ}/stop").status_code == 200, "a stop is never held up"
    assert not node.client(OLGA).get(PTZ).json()["is_moving"]


def test_without_whoever_covers_nothing_moves_either(node: ConfiguredNode, device: SimulatedCamera) -> None:
    assert node.client(OLGA).post(f"{PTZ}/move", json={"tilt": 1, "for_s": 1}).status_code == 503
    assert moves(device) == []


def test_the_cover_ends_when_it_stands_still(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    node.client(OLGA).post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 0.1})
    later(node, 0.5)
    assert device.requests[-2].operation == "tptz:Stop", "no head is trusted to end a move by itself"
    device.state.still_s = time.monotonic() + 60.0
    later(node, 5.0)
    assert analyst.covers[-1][1] > SETTLE_S, "it says that it moves"
    device.state.still_s = 0.0
    later(node, SETTLE_S)
    assert node.client(OLGA).get(PTZ).json()["is_moving"]
    later(node, 0.5)
    assert analyst.covers[-1] == ("plaza", 0.0)
    assert not node.client(OLGA).get(PTZ).json()["is_moving"]


def test_a_turn_is_on_the_record_once_whatever_the_joystick_does(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    client = node.client(OLGA)
    client.get(PTZ)
    for _ in range(5):
        client.post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 0.1})
    client.post(f"{PTZ}/preset", json={"token": "1"})
    client.post(f"{PTZ}/stop")
    assert steered(node) == [(OLGA, {"state": "begun"})]
    device.state.still_s = 0.0
    later(node, UNTOLD_TRIP_S + SETTLE_S + 5)
    _, ended = steered(node)
    assert ended[0] == OLGA
    assert (ended[1]["state"], ended[1]["moves"], ended[1]["presets"]) == ("ended", 5, ["Square"])
    other = "ptz_operator@*"
    client.post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 0.1})
    node.client(other).post(f"{PTZ}/move", json={"pan": -0.5, "for_s": 0.1})
    assert [(who, detail["state"]) for who, detail in steered(node)[2:]] == [(OLGA, "begun"), (OLGA, "ended"), (other, "begun")]


def test_positions_are_saved_and_forgotten_on_the_record(node: ConfiguredNode, device: SimulatedCamera) -> None:
    client = node.client(OLGA)
    saved = client.post(f"{PTZ}/presets", json={"name": "Fountain"})
    assert saved.status_code == 201
    assert device.state.presets[saved.json()["token"]].name == "Fountain"
    assert "Fountain" in {preset["name"] for preset in client.get(PTZ).json()["presets"]}
    assert client.delete(f"{PTZ}/presets/{saved.json()['token']}").status_code == 204
    assert saved.json()["token"] not in device.state.presets
    assert [detail for _, detail in steered(node)] == [{"saved": "Fountain"}, {"removed": saved.json()["token"]}]


def test_a_tour_is_fixed_started_and_ended_by_any_order(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    client = node.client(OLGA)
    steps = [{"preset": "1", "stay_s": 30}, {"preset": "2", "stay_s": 30}]
    assert client.put(f"{PTZ}/tours/night", json={"steps": steps}).json() == {"name": "night", "steps": steps, "is_running": False}
    assert moves(device) == [], "to fix it starts nothing"
    assert client.post(f"{PTZ}/tours/day/start").status_code == 404
    assert client.post(f"{PTZ}/tours/night/start").status_code == 200
    assert moves(device) == ["GotoPreset"]
    assert analyst.moved_before == [0]
    assert client.get(PTZ).json()["tours"] == [{"name": "night", "steps": steps, "is_running": True}]
    device.state.still_s = 0.0
    later(node, 60)
    assert steered(node)[-1][1] == {"state": "begun", "tour": "night"}, "one turn, as long as it runs"
    client.post(f"{PTZ}/move", json={"pan": 0.5, "for_s": 0.1})
    assert not client.get(PTZ).json()["tours"][0]["is_running"]
    assert [detail.get("state") for _, detail in steered(node)] == [None, "begun", "ended", "begun"]
    assert client.delete(f"{PTZ}/tours/night").status_code == 204
    assert client.get(PTZ).json()["tours"] == []


def test_an_open_page_does_not_offer_a_refused_password_again_and_again(node: ConfiguredNode, device: SimulatedCamera) -> None:
    device.state.users["admin"] = "another"
    client = node.client(OLGA)
    assert "refuses" in client.get(PTZ).json()["problem"]
    asked = len(device.requests)
    for _ in range(6):  # the page asks every ten seconds
        later(node, 10)
        assert "refuses" in client.get(PTZ).json()["problem"]
    assert len(device.requests) == asked
    device.state.users["admin"] = PASSWORD
    assert client.post(f"{PTZ}/stop").status_code == 200, "a stop is never held up"
    assert client.get(PTZ).json()["problem"] == ""


def test_nothing_is_left_open_after_a_position_was_saved(node: ConfiguredNode, device: SimulatedCamera) -> None:
    client = node.client(OLGA)
    client.post(f"{PTZ}/presets", json={"name": "Fountain"})
    assert "plaza" in steering_of(node.context)._looked_after, "somebody lets go of it"


def test_a_tour_that_cannot_be_covered_does_not_start(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    client = node.client(OLGA)
    client.put(f"{PTZ}/tours/night", json={"steps": [{"preset": "1", "stay_s": 30}]})
    analyst.is_dead = True
    assert client.post(f"{PTZ}/tours/night/start").status_code == 503
    assert moves(device) == []
    assert not client.get(PTZ).json()["tours"][0]["is_running"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("move", {"pan": 1.1, "for_s": 1}),
        ("move", {"pan": 1, "for_s": 3}),
        ("move", {"pan": 1}),
        ("move", {"pan": "nan", "for_s": 1}),
        ("move", {"pan": 1, "for_s": 1, "profile": "x"}),
        ("preset", {"token": ""}),
        ("preset", {"token": "a\nb"}),
        ("presets", {"name": "x" * 65}),
    ],
)
def test_wrong_orders_are_told_and_nothing_is_asked(
    node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst, path: str, body: dict[str, Any]
) -> None:
    assert node.client(OLGA).post(f"{PTZ}/{path}", json=body).status_code == 422
    assert device.requests == ()
    assert analyst.covers == []


def test_a_device_that_does_not_answer_is_told_and_stays_covered(node: ConfiguredNode, device: SimulatedCamera, analyst: Analyst) -> None:
    client = node.client(OLGA)
    device.close()
    answer = client.post(f"{PTZ}/move", json={"pan": 1, "for_s": 1})
    assert answer.status_code == 502
    assert PASSWORD not in answer.text
    assert client.get(PTZ).json()["is_moving"], "who knows whether it heard"
    later(node, CALL_S + 1.0)
    assert analyst.covers[-1][1] >= SETTLE_S
