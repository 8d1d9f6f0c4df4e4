"""A head is turned by hand and by saved positions, within bounds, and stops by itself."""

from __future__ import annotations

import math

import pytest

from lamppost.base.errors import CameraError, ConfigError, UnreadableReply
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.onvif.ptz import LONGEST_MOVE_S, Preset, Ptz
from onvif_devices import Canned, device, envelope, simulated

VENDORS = ("onvif", "onvif-s", "dahua", "hikvision", "axis")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_head_of_every_vendor_turns_and_keeps_positions(vendor: str) -> None:
    with simulated(vendor) as (camera, web):
        ptz = Ptz(device(web), camera.profile_tokens[0])
        assert ptz.presets() == (Preset("1", "Square"), Preset("2", "Bridge"))
        token = ptz.save_preset("Under the <bridge> & so")
        assert Preset(token, "Under the <bridge> & so") in ptz.presets()
        ptz.go_to("2")
        ptz.remove(token)
        assert len(ptz.presets()) == 2
        ptz.move(1.0, -0.5, 0.2, 60.0)
        assert ptz.status().is_moving is True
        assert camera.state.velocity == (0.5, -0.25, 0.1)  # half a turn in a second is its fastest
        assert camera.state.still_s - camera.state.moved_s <= LONGEST_MOVE_S + 0.1
        ptz.stop()
        assert ptz.status().is_moving is False
        with pytest.raises(SoapFault):
            ptz.go_to("99")


@pytest.mark.parametrize(
    ("given", "sent"),
    [((5.0, -5.0, 0.0), (1.0, -1.0, 0.0)), ((math.nan, 0.5, math.inf), (0.0, 0.5, 0.0)), ((0.0, 0.0, -0.3), (0.0, 0.0, -0.3))],
)
def test_speeds_are_bounded_and_what_is_no_number_is_no_speed(given: tuple[float, ...], sent: tuple[float, ...]) -> None:
    with simulated("onvif") as (camera, web):
        Ptz(device(web), "main").move(*given, 1.0)
        assert tuple(2 * speed for speed in camera.state.velocity) == sent


@pytest.mark.parametrize(
    "given", [(0.0, 0.0, 0.0, 1.0), (math.nan, math.nan, math.nan, 1.0), (1.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, math.nan)]
)
def test_a_movement_of_nothing_or_for_no_time_is_a_stop(given: tuple[float, ...]) -> None:
    with simulated("onvif") as (camera, web):
        Ptz(device(web), "main").move(*given)
        assert [each.operation for each in camera.requests][-1] == "tptz:Stop"


def answered(operation: str, body: str) -> Ptz:
    services = f"<tds:Service><tds:Namespace>{Service.PTZ.namespace}</tds:Namespace><tds:XAddr>http://x/ptz</tds:XAddr></tds:Service>"
    return Ptz(
        device(
            Canned(
                {
                    "GetServices": envelope(f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"),
                    operation: envelope(f"<tptz:{operation}Response>{body}</tptz:{operation}Response>"),
                }
            )
        ),
        "main",
    )


def test_a_position_without_a_token_is_not_saved() -> None:
    for body in ("", "<tptz:PresetToken/>", "<tptz:PresetToken> \n </tptz:PresetToken>"):
        with pytest.raises(UnreadableReply):
            answered("SetPreset", body).save_preset("Bank")


def test_positions_are_bounded_and_those_without_a_token_are_none() -> None:
    body = "<tptz:Preset><tt:Name>x</tt:Name></tptz:Preset>" + '<tptz:Preset token="7"><tt:Name>a\u202eb</tt:Name></tptz:Preset>' * 900
    presets = answered("GetPresets", body).presets()
    assert len(presets) <= 256
    assert set(presets) == {Preset("7", "a b")}


@pytest.mark.parametrize(
    ("words", "is_moving"),
    [(("IDLE", "IDLE"), False), (("MOVING", "IDLE"), True), (("IDLE", "MOVING"), True), (("UNKNOWN", "UNKNOWN"), None), (("x", ""), None)],
)
def test_what_is_not_said_of_a_movement_is_not_known(words: tuple[str, str], is_moving: bool | None) -> None:
    moving = f"<tt:MoveStatus><tt:PanTilt>{words[0]}</tt:PanTilt><tt:Zoom>{words[1]}</tt:Zoom></tt:MoveStatus>"
    ptz = answered("GetStatus", f"<tptz:PTZStatus>{moving}<tt:UtcTime>2024-05-01T10:00:00Z</tt:UtcTime></tptz:PTZStatus>")
    assert ptz.status().is_moving is is_moving
    assert answered("GetStatus", "").status().is_moving is None


@pytest.mark.parametrize(
    ("said", "position"),
    [
        ('<tt:PanTilt x="-0.5" y="0.25"/><tt:Zoom x="1"/>', (-0.5, 0.25, 1.0)),
        ('<tt:PanTilt x="-0.5" y="0.25"/>', (-0.5, 0.25, None)),
        ('<tt:PanTilt x="nan" y="elsewhere"/><tt:Zoom x="1e999"/>', (None, None, None)),
        ("", (None, None, None)),
    ],
)
def test_where_it_is_is_told_as_far_as_it_is_a_number(said: str, position: tuple[float | None, ...]) -> None:
    ptz = answered("GetStatus", f"<tptz:PTZStatus><tt:Position>{said}</tt:Position></tptz:PTZStatus>")
    assert ptz.status().position == position


def test_a_head_that_moves_is_elsewhere() -> None:
    with simulated("onvif") as (camera, web):
        ptz = Ptz(device(web), "main")
        assert ptz.status().position == (0.0, 0.0, 0.0)
        ptz.move(1.0, 0.0, 0.0, 1.0)
        camera.state.settle(camera.state.moved_s + 0.5)
        ptz.stop()
        assert (ptz.status().position[0] or 0.0) > 0.1


def test_a_name_that_cannot_be_sent_is_not_sent() -> None:
    with simulated("onvif") as (camera, web), pytest.raises(ConfigError):
        Ptz(device(web), "main").save_preset("a\x00b")
    assert len(camera.state.presets) == 2


def test_a_device_without_a_head_says_so() -> None:
    with pytest.raises(CameraError):
        Ptz(device(Canned({"GetServices": envelope("<tds:GetServicesResponse/>")})), "main")
