"""What is set in a simulated camera is read back from it, and what makes no sense is a fault with its subcode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asked_camera import SOAP, Asking, asking, envelope
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.nodes import read

_RULES = "<tan:ConfigurationToken>AnalyticsConfig_1</tan:ConfigurationToken>"
_PROFILE = "<tptz:ProfileToken>main</tptz:ProfileToken>"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def client(clock: ManualClock) -> Iterator[Asking]:
    urls = {"rtsp_url": "rtsp://192.0.2.7:8554/a", "rtsp_sub_url": "rtsp://192.0.2.7:8554/b"}
    with SimulatedCamera("onvif", clock=clock, **urls) as camera, asking(camera) as client:
        yield client


def position(client: Asking) -> tuple[float, float, float, str]:
    status = client.ask("tptz:GetStatus", _PROFILE)
    turn, zoom = status.first("PanTilt"), status.first("Zoom")
    assert turn is not None
    assert zoom is not None
    moving = status.first("MoveStatus")
    assert moving is not None
    return float(turn.attributes["x"]), float(turn.attributes["y"]), float(zoom.attributes["x"]), moving.value("PanTilt")


def test_a_move_lasts_as_long_as_was_asked_and_no_longer(client: Asking, clock: ManualClock) -> None:
    move = '<tptz:Velocity><tt:PanTilt x="1" y="-0.5"/><tt:Zoom x="0"/></tptz:Velocity><tptz:Timeout>PT1S</tptz:Timeout>'
    client.ask("tptz:ContinuousMove", _PROFILE + move)
    assert position(client) == (0, 0, 0, "MOVING")
    clock.advance(0.5)
    assert position(client) == (0.25, -0.125, 0, "MOVING")
    clock.advance(60)
    assert position(client) == (0.5, -0.25, 0, "IDLE")


def test_stop_stops(client: Asking, clock: ManualClock) -> None:
    client.ask("tptz:ContinuousMove", _PROFILE + '<tptz:Velocity><tt:Zoom x="1"/></tptz:Velocity>')
    clock.advance(1)
    client.ask("tptz:Stop", _PROFILE)
    clock.advance(1)
    assert position(client) == (0, 0, 0.5, "IDLE")


def test_stop_ends_what_it_names_and_no_more(client: Asking, clock: ManualClock) -> None:
    client.ask("tptz:ContinuousMove", _PROFILE + '<tptz:Velocity><tt:PanTilt x="1" y="0"/><tt:Zoom x="0.2"/></tptz:Velocity>')
    client.ask("tptz:Stop", f"{_PROFILE}<tptz:PanTilt>true</tptz:PanTilt><tptz:Zoom>false</tptz:Zoom>")
    clock.advance(1)
    assert position(client) == (0, 0, pytest.approx(0.1), "MOVING")
    client.ask("tptz:Stop", f"{_PROFILE}<tptz:Zoom>true</tptz:Zoom>")
    clock.advance(1)
    assert position(client) == (0, 0, pytest.approx(0.1), "IDLE")


def test_an_absolute_move_leaves_alone_what_it_does_not_name(client: Asking, clock: ManualClock) -> None:
    client.ask("tptz:AbsoluteMove", _PROFILE + '<tptz:Position><tt:PanTilt x="0.5" y="-0.5"/><tt:Zoom x="0.4"/></tptz:Position>')
    clock.advance(10)
    client.ask("tptz:AbsoluteMove", _PROFILE + '<tptz:Position><tt:PanTilt x="0" y="0"/></tptz:Position>')
    clock.advance(10)
    assert position(client)[:3] == pytest.approx((0, 0, 0.4))
    client.ask("tptz:AbsoluteMove", _PROFILE + '<tptz:Position><tt:Zoom x="0"/></tptz:Position>')
    clock.advance(10)
    assert position(client)[:3] == pytest.approx((0, 0, 0))


def test_presets_are_saved_found_and_removed(client: Asking, clock: ManualClock) -> None:
    client.ask("tptz:RelativeMove", _PROFILE + '<tptz:Translation><tt:PanTilt x="0.3" y="0.2"/></tptz:Translation>')
    clock.advance(10)
    token = client.ask("tptz:SetPreset", f"{_PROFILE}<tptz:PresetName>Market &amp; hall</tptz:PresetName>").value("PresetToken")
    client.ask("tptz:GotoPreset", f"{_PROFILE}<tptz:PresetToken>1</tptz:PresetToken>")
    clock.advance(10)
    assert position(client)[:2] == pytest.approx((-0.5, 0.1))
    client.ask("tptz:GotoPreset", f"{_PROFILE}<tptz:PresetToken>{token}</tptz:PresetToken>")
    clock.advance(10)
    assert position(client)[:2] == pytest.approx((0.3, 0.2))
    names = [preset.value("Name") for preset in client.ask("tptz:GetPresets", _PROFILE).own("Preset")]
    assert names == ["Square", "Bridge", "Market & hall"]
    client.ask("tptz:RemovePreset", f"{_PROFILE}<tptz:PresetToken>{token}</tptz:PresetToken>")
    assert client.fault("tptz:GotoPreset", f"{_PROFILE}<tptz:PresetToken>{token}</tptz:PresetToken>") == (
        400,
        ["env:Sender", "ter:InvalidArgVal", "ter:NoToken"],
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 90)), max_size=8))
def test_the_head_never_leaves_its_range(moves: list[tuple[float, float, float, float]]) -> None:
    state = SimulatedCamera("onvif").state
    now_s = 0.0
    for pan, tilt, zoom, for_s in moves:
        state.move(pan, tilt, zoom, for_s, now_s)
        now_s += for_s / 2
        state.settle(now_s)
        assert -1 <= state.pan <= 1
        assert -1 <= state.tilt <= 1
        assert 0 <= state.zoom <= 1


def test_rules_are_switched_off_and_cannot_be_made_up(client: Asking) -> None:
    def names() -> list[str]:
        return [rule.attributes["Name"] for rule in client.ask("tan:GetRules", _RULES).own("Rule")]

    assert "MyFaceRule" in names()
    client.ask("tan:DeleteRules", f"{_RULES}<tan:RuleName>MyFaceRule</tan:RuleName><tan:RuleName>MyFaceSeenRule</tan:RuleName>")
    assert names() == ["MyMotionDetectorRule", "MyLineRule"]
    assert client.fault("tan:DeleteRules", f"{_RULES}<tan:RuleName>MyFaceRule</tan:RuleName>")[1][-1] == "ter:RuleNotExistent"
    rule = '<tan:Rule Name="{}" Type="tt:{}"><tt:Parameters><tt:SimpleItem Name="Direction" Value="Left"/></tt:Parameters></tan:Rule>'
    client.ask("tan:ModifyRules", _RULES + rule.format("MyLineRule", "LineDetector"))
    assert client.camera.state.rules["MyLineRule"].parameters == {"Direction": "Left", "ClassFilter": "Human Vehicle"}
    assert client.fault("tan:CreateRules", _RULES + rule.format("New", "TeaMaker"))[1][-1] == "ter:InvalidRule"
    client.ask("tan:CreateRules", _RULES + rule.format("New", "FieldDetector"))
    assert names()[-1] == "New"


def test_the_clock_is_set(client: Asking, clock: ManualClock) -> None:
    when = (
        "<tds:DateTimeType>Manual</tds:DateTimeType><tds:DaylightSavings>false</tds:DaylightSavings><tds:UTCDateTime><tt:Time>"
        "<tt:Hour>12</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>5</tt:Second></tt:Time><tt:Date><tt:Year>2026</tt:Year>"
        "<tt:Month>{}</tt:Month><tt:Day>30</tt:Day></tt:Date></tds:UTCDateTime>"
    )
    client.ask("tds:SetSystemDateAndTime", when.format(11))
    assert clock.wall_us() / US_PER_S + client.camera.state.clock_offset_s == pytest.approx(1_796_040_005)
    utc = client.ask("tds:GetSystemDateAndTime").first("UTCDateTime")
    assert utc is not None
    assert [utc.value(name) for name in ("Year", "Month", "Day", "Hour", "Second")] == ["2026", "11", "30", "12", "5"]
    assert client.fault("tds:SetSystemDateAndTime", when.format(2))[1][-1] == "ter:InvalidDateTime"


def test_ntp_relay_and_picture(client: Asking) -> None:
    manual = "<tds:NTPManual><tt:Type>{}</tt:Type><tt:{}>{}</tt:{}></tds:NTPManual>"
    for kind, name, host in (("DNS", "DNSname", "ntp.example.org"), ("IPv4", "IPv4Address", "192.0.2.9")):
        client.ask("tds:SetNTP", "<tds:FromDHCP>false</tds:FromDHCP>" + manual.format(kind, name, host, name))
        assert client.ask("tds:GetNTP").value(name) == host
    client.ask(
        "tds:SetRelayOutputState",
        "<tds:RelayOutputToken>RelayOutput_1</tds:RelayOutputToken><tds:LogicalState>active</tds:LogicalState>",
        path=client.camera.path_of("tmd"),
    )
    assert client.camera.state.relays == {"RelayOutput_1": True}
    source = "<timg:VideoSourceToken>VideoSource_1</timg:VideoSourceToken><timg:ImagingSettings>{}</timg:ImagingSettings>"
    client.ask("timg:SetImagingSettings", source.format("<tt:Brightness>70</tt:Brightness><tt:IrCutFilter>OFF</tt:IrCutFilter>"))
    read_back = client.ask("timg:GetImagingSettings", "<timg:VideoSourceToken>VideoSource_1</timg:VideoSourceToken>")
    assert (read_back.value("Brightness"), read_back.value("Contrast"), read_back.value("IrCutFilter")) == ("70", "50", "OFF")
    assert client.fault("timg:SetImagingSettings", source.format("<tt:Brightness>700</tt:Brightness>"))[0] == 400


def test_a_relay_is_open_or_closed_while_idle(client: Asking) -> None:
    asked = (
        "<tds:RelayOutputToken>RelayOutput_1</tds:RelayOutputToken><tds:Properties><tt:Mode>{}</tt:Mode>"
        "<tt:DelayTime>PT1S</tt:DelayTime><tt:IdleState>closed</tt:IdleState></tds:Properties>"
    )
    assert client.fault("tds:SetRelayOutputSettings", asked.format("Monostable"))[1][-1] == "ter:ModeError"
    client.ask("tds:SetRelayOutputSettings", asked.format("Bistable"))
    assert client.ask("tds:GetRelayOutputs").value("IdleState") == "closed"


@pytest.mark.parametrize("service", ["trt", "tr2"])
def test_a_bit_rate_is_set_and_what_the_picture_cannot_follow_is_refused(client: Asking, service: str) -> None:
    known = (
        f'<{service}:Configuration token="VideoEncoder_2"><tt:Resolution><tt:Width>{{}}</tt:Width><tt:Height>360</tt:Height>'
        "</tt:Resolution><tt:RateControl><tt:FrameRateLimit>{}</tt:FrameRateLimit><tt:BitrateLimit>{}</tt:BitrateLimit></tt:RateControl>"
        f"</{service}:Configuration>"
    )
    asked = f"{service}:SetVideoEncoderConfiguration"
    for wrong in ((320, 10, 300), (640, 30, 300)):
        assert client.fault(asked, known.format(*wrong))[1][-1] == "ter:ConfigModify"
    assert client.fault(asked, known.format(640, 10, 1))[1][-1] == "ter:InvalidArgVal"
    client.ask(asked, known.format(640, 10, 300))
    limits = [node.text for node in client.ask(f"{service}:GetVideoEncoderConfigurations").each("BitrateLimit")]
    assert limits == ["2048", "300"]


def test_options_offer_what_can_be_set_and_no_more(client: Asking) -> None:
    options = client.ask("tr2:GetVideoEncoderConfigurationOptions", "<tr2:ConfigurationToken>VideoEncoder_2</tr2:ConfigurationToken>")
    shown = options.own("Options")
    assert [one.attributes["FrameRatesSupported"] for one in shown] == ["10"]
    assert [(one.value("Width"), one.value("Height")) for one in shown] == [("640", "360")]
    assert client.fault("trt:CreateProfile", "<trt:Name>mine</trt:Name>")[1][-1] == "ter:MaxNVTProfiles"
    assert client.fault("trt:DeleteProfile", "<trt:ProfileToken>main</trt:ProfileToken>")[1][-1] == "ter:DeletionOfFixedProfile"


def test_a_tunnel_over_http_is_not_offered(client: Asking) -> None:
    setup = (
        "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>{}</tt:Protocol></tt:Transport></trt:StreamSetup>"
    )
    main = "<trt:ProfileToken>main</trt:ProfileToken>"
    for protocol in ("RTSP", "UDP"):
        client.ask("trt:GetStreamUri", setup.format(protocol) + main)
    assert client.fault("trt:GetStreamUri", setup.format("HTTP") + main)[1][-1] == "ter:InvalidStreamSetup"
    second = "<tr2:Protocol>RtspOverHttp</tr2:Protocol><tr2:ProfileToken>main</tr2:ProfileToken>"
    assert client.fault("tr2:GetStreamUri", second)[1][-1] == "ter:InvalidStreamSetup"


def test_streams(client: Asking) -> None:
    def url(token: str) -> str:
        return client.ask("tr2:GetStreamUri", f"<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{token}</tr2:ProfileToken>").value("Uri")

    assert (url("main"), url("sub")) == ("rtsp://192.0.2.7:8554/a", "rtsp://192.0.2.7:8554/b")
    assert client.fault("tr2:GetSnapshotUri", "<tr2:ProfileToken>x</tr2:ProfileToken>")[1][-1] == "ter:NoProfile"
    assert client.ask("tr2:GetProfiles", "<tr2:Token>sub</tr2:Token>").first("Configurations") is None, "named, and nothing more"


@pytest.mark.parametrize(
    ("content", "codes"),
    [
        (b"", ["env:Sender", "ter:WellFormed"]),
        (b"<a>", ["env:Sender", "ter:WellFormed"]),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", ["env:Sender", "ter:WellFormed"]),
        (b"<a/>", ["env:Sender", "ter:TagMismatch"]),
        (b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>', ["env:Sender", "ter:Namespace"]),
        (envelope(""), ["env:Sender", "ter:InvalidArgs"]),
        (envelope("<tds:GetUsers/><tds:GetUsers/>"), ["env:Sender", "ter:InvalidArgs"]),
        (b"<a>" * 5000, ["env:Sender", "ter:WellFormed"]),
        (b"\xff\xfe\x00", ["env:Sender", "ter:WellFormed"]),
    ],
)
def test_what_is_no_request_is_a_fault(client: Asking, content: bytes, codes: list[str]) -> None:
    reply = client.web.ask("POST", client.camera.path_of("tds"), content, SOAP)
    assert reply.status == 400
    assert [node.text for node in read(reply.content).each("Value")] == codes


def test_what_is_not_implemented_says_so(client: Asking) -> None:
    assert client.fault("tds:UpgradeSystemFirmware") == (500, ["env:Receiver", "ter:ActionNotSupported"])
    with SimulatedCamera("onvif-s") as old, asking(old) as other:
        assert other.fault("tr2:GetProfiles", path=old.path_of("trt"))[1] == ["env:Receiver", "ter:ActionNotSupported"]
        said = other.ask("tds:GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>")
        assert not any("ver20/media" in node.text for node in said.each("Namespace"))
