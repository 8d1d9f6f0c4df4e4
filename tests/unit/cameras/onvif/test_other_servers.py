"""Servers that others have written answer in their own ways, constructed here after their sources: each is understood as far as it goes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable

import pytest

from device_server import served
from lamppost.base.errors import CameraError, CameraRefused, UnreadableReply
from lamppost.cameras.dialects.dialect import Interview
from lamppost.cameras.onvif.analytics import OnvifAnalytics
from lamppost.cameras.onvif.device import OnvifDevice, path_of
from lamppost.cameras.onvif.events import PullPoint
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.onvif.ptz import Preset, Ptz
from lamppost.cameras.web import DeviceAddress, DeviceWeb, Reply
from lamppost.model.devices import DeviceEvent, DeviceEventKind, Level, Outcome
from lamppost.model.networks import CameraNetworks
from onvif_devices import CLOCK, PASSWORD, Canned, device, envelope, fault, operation_of, reply

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
NAMESPACES = {
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tt": "http://www.onvif.org/ver10/schema",
}
WHO = "<tds:GetDeviceInformationResponse><tds:Manufacturer>Acme</tds:Manufacturer></tds:GetDeviceInformationResponse>"
URI = "<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{}</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>"
PROFILE = (
    '<trt:GetProfilesResponse><trt:Profiles token="p"><tt:Name>p</tt:Name><tt:VideoEncoderConfiguration token="e">'
    "<tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>"
    "</trt:GetProfilesResponse>"
)


def said(body: str, soap: str = SOAP_12, namespaces: dict[str, str] = NAMESPACES) -> bytes:
    declared = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in namespaces.items())
    text = f'<?xml version="1.0" encoding="utf-8"?>\n<s:Envelope xmlns:s="{soap}"{declared}>\n  <s:Body>{body}</s:Body>\n</s:Envelope>\n'
    return text.encode()


def services(**places: str) -> bytes:
    named = "".join(
        f"<tds:Service><tds:Namespace>{NAMESPACES[prefix]}</tds:Namespace><tds:XAddr>{place}</tds:XAddr></tds:Service>"
        for prefix, place in places.items()
    )
    return said(f"<tds:GetServicesResponse>{named}</tds:GetServicesResponse>")


MEDIA = services(trt="http://172.17.0.2:8080/onvif/media_service")
NOT_KNOWN = reply(b"unsupported operation\n", 400, "text/plain")


def test_go2rtc_names_all_elements_in_the_namespace_of_the_service_and_sends_fractions() -> None:
    profiles = (
        '<trt:GetProfilesResponse><trt:Profiles token="gate" fixed="true"><trt:Name>gate</trt:Name>'
        '<trt:VideoEncoderConfiguration token="0"><trt:Name>gate</trt:Name><trt:Encoding>H264</trt:Encoding>'
        "<trt:Resolution><trt:Width>1920</trt:Width><trt:Height>1080</trt:Height>"
        "</trt:Resolution><trt:RateControl><trt:FrameRateLimit>29.97003</trt:FrameRateLimit><trt:BitrateLimit>5000</trt:BitrateLimit>"
        "</trt:RateControl></trt:VideoEncoderConfiguration></trt:Profiles></trt:GetProfilesResponse>"
    )
    uri = URI.replace("tt:", "trt:").format("rtsp://127.0.0.1:8554/gate")
    canned = Canned({"GetServices": MEDIA, "GetProfiles": said(profiles), "GetStreamUri": said(uri), "*": NOT_KNOWN})
    (profile,) = device(canned).profiles()
    assert (profile.stream_url, profile.codec, profile.width_px, profile.fps, profile.kbit_per_s) == (
        "rtsp://192.0.2.7:8554/gate",
        "h264",
        1920,
        30.0,
        5000.0,
    )
    with pytest.raises(UnreadableReply, match="GetNTP with status 400"):
        device(canned).ntp()


@pytest.mark.parametrize(
    "elements",
    [
        "<tds:SerialNumber>7</tds:SerialNumber><tds:Model>A1</tds:Model><tds:Manufacturer>Acme</tds:Manufacturer>",
        "<tds:Manufacturer>Acme</tds:Manufacturer><tds:Odd/><tds:Model>A1</tds:Model><x/><tds:SerialNumber>7</tds:SerialNumber>",
        "<Manufacturer>Acme</Manufacturer><Model> A1\n</Model><SerialNumber>7</SerialNumber>",
        "<tt:Manufacturer>Acme</tt:Manufacturer><tt:Model>A1</tt:Model><tt:SerialNumber>7</tt:SerialNumber>",
    ],
    ids=["in another order", "with others in between", "in no namespace", "in another namespace"],
)
@pytest.mark.parametrize("soap", [SOAP_11, SOAP_12])
def test_elements_are_gone_by_their_names_wherever_a_server_puts_them(elements: str, soap: str) -> None:
    body = f"<tds:GetDeviceInformationResponse>{elements}</tds:GetDeviceInformationResponse>"
    identity = device(Canned({"GetDeviceInformation": said(body, soap)})).identity()
    assert (identity.vendor, identity.model, identity.serial, identity.firmware) == ("Acme", "A1", "7", "")


def test_node_soap_answers_in_soap_1_1_and_calls_what_it_does_not_know_unauthorized() -> None:
    refusal = reply(said("<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
                         "<s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>", SOAP_11))  # fmt: skip
    capabilities = (
        "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>http://0.0.0.0:8081/onvif/media_service</tt:XAddr></tt:Media>"
        "<tt:PTZ><tt:XAddr>http://0.0.0.0:8081/onvif/ptz_service</tt:XAddr></tt:PTZ></tds:Capabilities></tds:GetCapabilitiesResponse>"
    )
    canned = Canned(
        {
            "GetDeviceInformation": said(WHO, SOAP_11),
            "GetCapabilities": said(capabilities, SOAP_11),
            "GetProfiles": said(PROFILE, SOAP_11),
            "GetStreamUri": said(URI.format("rtsp://0.0.0.0:8554/h264"), SOAP_11),
            "*": refusal,
        }
    )
    asked = device(canned)  # nothing is asked before its services
    assert [profile.stream_url for profile in asked.profiles()] == ["rtsp://192.0.2.7:8554/h264"]
    assert asked.identity().vendor == "Acme"
    with pytest.raises(SoapFault, match="GetScopes"):
        asked.scopes()
    assert len([None for _, _, content in canned.asked if b"UsernameToken" in content]) <= 1
    assert OnvifAnalytics(asked, CLOCK).audit(Interview(canned, CLOCK)).is_armed is Level.UNKNOWN


def test_a_server_that_uses_prefixes_without_saying_what_they_mean_turns_its_camera() -> None:
    undeclared = {"tds": NAMESPACES["tds"]}
    presets = '<ptz:GetPresetsResponse><ptz:Preset token="1"><tt:Name>Bank</tt:Name></ptz:Preset></ptz:GetPresetsResponse>'
    canned = Canned(
        {
            "GetServices": services(tptz="/onvif/ptz_service"),
            "GetPresets": said(presets, namespaces=undeclared),
            "Stop": said("<ptz:StopResponse/>", namespaces=undeclared),
            "GetStatus": said("<ptz:GetStatusResponse>", namespaces=undeclared),
        }
    )
    ptz = Ptz(device(canned), "main")
    assert ptz.presets() == (Preset("1", "Bank"),)
    ptz.stop()
    with pytest.raises(UnreadableReply):  # cut off is not mended
        ptz.status()


def test_an_address_with_a_bare_ampersand_or_escaped_twice_is_read_as_it_is_meant() -> None:
    meant = "rtsp://192.0.2.7/user=admin_stream=0&onvif=0.sdp?real_stream"
    for sent in (meant, meant.replace("&", "&amp;"), meant.replace("&", "&amp;amp;")):
        answers = {"GetServices": MEDIA, "GetProfiles": said(PROFILE), "GetStreamUri": said(URI.format(sent))}
        assert [profile.stream_url for profile in device(Canned(answers)).profiles()] == [meant]
    for sent in ("rtsp://h/&other;", "rtsp://h/&other"):
        answers = {"GetServices": MEDIA, "GetProfiles": said(PROFILE), "GetStreamUri": said(URI.format(sent)).partition(b"</tt:Uri>")[0]}
        with pytest.raises(UnreadableReply):
            device(Canned(answers)).profiles()


def test_a_server_that_does_not_say_how_it_encodes_sends_video_all_the_same() -> None:
    profiles = (
        '<trt:GetProfilesResponse><trt:Profiles token="cam"><tt:Name>cam</tt:Name><tt:VideoSourceConfiguration token="v"/></trt:Profiles>'
        '<trt:Profiles token="talk"><tt:Name>talk</tt:Name></trt:Profiles></trt:GetProfilesResponse>'
    )
    canned = Canned({"GetServices": MEDIA, "GetProfiles": said(profiles), "GetStreamUri": said(URI.format("rtsp://a:b@0.0.0.0/cam"))})
    (profile,) = device(canned).profiles()
    assert (profile.token, profile.codec, profile.stream_url) == ("cam", "", "rtsp://192.0.2.7/cam")


def test_onvif_simple_server_may_name_its_profiles_in_media2_and_say_no_more() -> None:
    bare = '<tr2:GetProfilesResponse><tr2:Profiles token="Profile_0" fixed="true"><tr2:Name>Profile_0</tr2:Name></tr2:Profiles>'
    encoder = (
        '<tr2:Configurations><tr2:VideoEncoder Profile="Main" GovLength="40" token="e"><tt:Name>e</tt:Name><tt:Encoding>H265</tt:Encoding>'
        "<tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution><tt:Quality>10</tt:Quality><tt:RateControl>"
        "<tt:FrameRateLimit>20</tt:FrameRateLimit></tt:RateControl></tr2:VideoEncoder></tr2:Configurations>"
    )
    full = bare.replace("</tr2:Profiles>", f"{encoder}</tr2:Profiles>")
    places = services(tr2="http://10.0.0.5/onvif/media2_service", trt="http://10.0.0.5/onvif/media_service")
    uri = {
        "/onvif/media2_service": "<tr2:GetStreamUriResponse><tr2:Uri>rtsp://10.0.0.5/ch0.h264</tr2:Uri></tr2:GetStreamUriResponse>",
        "/onvif/media_service": URI.format("rtsp://10.0.0.5/ch1.h264"),
    }
    for profiles, url, width_px in ((full, "rtsp://192.0.2.7/ch0.h264", 1920), (bare, "rtsp://192.0.2.7/ch1.h264", 640)):
        by_path = {"/onvif/media2_service": f"{profiles}</tr2:GetProfilesResponse>", "/onvif/media_service": PROFILE}
        canned = Canned({"GetServices": places})
        answers: dict[str, Callable[[bytes], Reply]] = {
            "GetProfiles": lambda _, by_path=by_path, canned=canned: reply(said(by_path[canned.asked[-1][1]])),
            "GetStreamUri": lambda _, canned=canned: reply(said(uri[canned.asked[-1][1]])),
        }
        canned.answers = {**canned.answers, **answers}
        (profile,) = device(canned).profiles()
        assert (profile.stream_url, profile.width_px) == (url, width_px)


@pytest.mark.parametrize(
    ("named", "path"),
    [
        ("http://0.0.0.0:8080", "/"),
        ("http:///onvif/events_service?session=392", "/onvif/events_service?session=392"),
        ("http://10.0.0.5/onvif/media http://[fe80::1]/onvif/media", "/onvif/media"),
        ("/onvif/media", "/onvif/media"),
        ("10.0.0.5/onvif/media", ""),
    ],
)
def test_of_the_places_that_a_server_names_the_path_is_taken(named: str, path: str) -> None:
    assert path_of(named) == path


def test_services_of_old_are_asked_for_where_the_new_list_has_no_media() -> None:
    old = "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>/m</tt:XAddr></tt:Media><tt:Events><tt:XAddr>/old</tt:XAddr>"
    old += "</tt:Events></tds:Capabilities></tds:GetCapabilitiesResponse>"
    canned = Canned({"GetServices": services(tds="/d", tev="/e"), "GetCapabilities": said(old)})
    assert device(canned).services() == {NAMESPACES["tds"]: "/d", NAMESPACES["tev"]: "/e", NAMESPACES["trt"]: "/m"}


class Gsoap:
    """Wants its user in the message, and asks over HTTP for the password itself, as gSOAP does when a service returns 401."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool, str]] = []

    def ask(self, method: str, path: str, content: bytes) -> Reply:
        operation = operation_of(content)
        is_known = operation == "GetSystemDateAndTime" or _is_token_right(content)
        self.heard.append((operation, b"UsernameToken" in content, method))
        if not is_known:
            return reply(said("<s:Fault/>"), 401, www_authenticate='Basic realm="gSOAP Web Service"')
        return reply(said(WHO)) if operation == "GetDeviceInformation" else fault("ActionNotSupported", 500, "Receiver")


def _is_token_right(content: bytes) -> bool:
    part = {name: re.search(rf"<[\w:]*{name}\b[^>]*>([^<]*)<".encode(), content) for name in ("Nonce", "Created", "Password")}
    if not all(part.values()):
        return False
    nonce, created, digest = (found[1] for found in part.values() if found is not None)
    made = hashlib.sha1(base64.b64decode(nonce) + created + PASSWORD.encode(), usedforsecurity=False).digest()
    return base64.b64encode(made) == digest


@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_gsoap_that_asks_for_the_password_in_the_clear_gets_a_digest_in_the_message_once(password: str) -> None:
    server = Gsoap()
    with served(server) as url:
        networks = CameraNetworks(["127.0.0.0/8"])
        with DeviceWeb(DeviceAddress.of(url), networks, CLOCK, username="admin", password=password) as web:
            asked = OnvifDevice(web, CLOCK, "127.0.0.1", username="admin", password=password)
            if password == PASSWORD:
                assert asked.identity().vendor == "Acme"
                return
            with pytest.raises(CameraRefused, match="in the clear"):
                asked.identity()
            with pytest.raises(CameraRefused):
                asked.relays()
    assert sum(is_signed for _, is_signed, _ in server.heard) == 1


@pytest.mark.parametrize("subcode", ["FailedAuthentication", "InvalidSecurity", "MessageExpired", "NotAuthorized"])
def test_a_refusal_in_the_words_of_ws_security_is_one(subcode: str) -> None:
    code = f"<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>wsse:{subcode}</s:Value></s:Subcode></s:Code>"
    refused = reply(said(f"<s:Fault>{code}<s:Reason><s:Text>no</s:Text></s:Reason></s:Fault>"), 400)
    _signs_in(refused)


@pytest.mark.parametrize("words", ["Sender not Authorized", "Authority failure", "401 Unauthorized: authentication required"])
def test_a_refusal_without_a_code_is_told_by_its_words(words: str) -> None:
    _signs_in(reply(said(f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{words}</faultstring></s:Fault>", SOAP_11), 500))


def _signs_in(refused: Reply) -> None:
    def who(content: bytes) -> Reply:
        return reply(said(WHO)) if b"UsernameToken" in content else refused

    assert device(Canned({"GetDeviceInformation": who})).identity().vendor == "Acme"


def test_a_server_that_tells_nobody_anything_tells_its_user_the_time_and_its_services() -> None:
    time = (
        "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>1</tt:Hour><tt:Minute>2</tt:Minute>"
        "<tt:Second>3</tt:Second></tt:Time><tt:Date><tt:Year>2024</tt:Year><tt:Month>5</tt:Month><tt:Day>6</tt:Day></tt:Date>"
        "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
    )
    answers = {"GetDeviceInformation": said(WHO), "GetSystemDateAndTime": said(time), "GetServices": MEDIA}

    def told(content: bytes) -> Reply:
        is_known = b"UsernameToken" in content
        return reply(answers[operation_of(content)]) if is_known else reply(said("<s:Fault/>"), 401)

    canned = Canned(dict.fromkeys(answers, told))
    asked = device(canned)
    assert asked.services() == {NAMESPACES["trt"]: "/onvif/media_service"}
    assert asked.clock_offset_s() is not None
    assert device(canned, username="").soap.has_signed_in is False


def test_without_a_user_a_refusal_does_not_say_that_one_was_tried() -> None:
    with pytest.raises(CameraRefused, match="nothing without user and password"):
        device(Canned({"*": fault("NotAuthorized")}), username="", password="").identity()


EVENTS = services(tev="http://127.0.0.1/onvif/events_service")
MOTION = (
    '<wsnt:NotificationMessage xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2">'
    "<wsnt:Topic>\n   tns1:VideoSource/MotionAlarm\n  </wsnt:Topic>"
    '<wsnt:Message><tt:Message UtcTime="2025-10-26T18:30:50Z"><tt:Source><tt:SimpleItem Name="VideoSourceConfigurationToken" Value="V1"/>'
    '</tt:Source><tt:Data><tt:SimpleItem Name="IsMotion" Value="true" /></tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>'
)
PULLED = said(f"<tev:PullMessagesResponse>{MOTION}</tev:PullMessagesResponse>")


def created(reference: str) -> bytes:
    return said(f"<tev:CreatePullPointSubscriptionResponse>{reference}</tev:CreatePullPointSubscriptionResponse>")


REFERENCE = '<tev:SubscriptionReference><a:Address xmlns:a="{}">{}</a:Address></tev:SubscriptionReference>'
AT = "http://127.0.0.1/onvif/events_service?sub=2"


@pytest.mark.parametrize(
    ("reference", "path", "to"),
    [
        (REFERENCE.format("http://www.w3.org/2005/08/addressing", AT), "/onvif/events_service?sub=2", AT),
        (REFERENCE.format("http://schemas.xmlsoap.org/ws/2004/08/addressing", AT), "/onvif/events_service?sub=2", AT),
        (f"<Address>{AT}</Address>", "/onvif/events_service?sub=2", AT),
        (REFERENCE.format("urn:a", "http:///onvif/e?s=1&amp;t=2"), "/onvif/e?s=1&t=2", "http:///onvif/e?s=1&amp;t=2"),
        (REFERENCE.format("urn:a", "urn:uuid:5f5a69c2"), "/onvif/events_service", "urn:uuid:5f5a69c2"),
    ],
    ids=["onvif_simple_server", "old addressing", "no reference", "no host", "a name"],
)
def test_a_subscription_is_pulled_by_its_path_and_called_what_the_server_calls_it(reference: str, path: str, to: str) -> None:
    def pull(content: bytes) -> Reply:
        # Some find it by what it is called, and want each message numbered.
        is_found = f"<wsa:To>{to}</wsa:To>".encode() in content and b"<wsa:MessageID>urn:uuid:" in content
        return reply(PULLED) if is_found else reply(b"", 400)

    canned = Canned({"GetServices": EVENTS, "CreatePullPointSubscription": created(reference), "PullMessages": pull})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    assert point.pull(1.0) == (DeviceEvent(DeviceEventKind.MOTION, True, "V1", 1_761_503_450_000_000),)
    assert canned.asked[-1][1] == path
    point.pull(1.0)
    numbers = re.findall(rb"urn:uuid:([0-9a-f-]{36})</wsa:MessageID>", b"".join(content for _, _, content in canned.asked))
    assert len(numbers) == len(set(numbers)) == sum(not operation.startswith("Get") for operation in canned.operations)


def test_a_server_that_answers_an_unknown_filter_with_nothing_is_asked_without_one() -> None:
    def create(content: bytes) -> Reply:
        return reply(b"", 400) if b"Filter" in content else reply(created(REFERENCE.format("urn:a", AT)))

    canned = Canned({"GetServices": EVENTS, "CreatePullPointSubscription": create, "PullMessages": PULLED})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    assert len(point.pull(1.0)) == 1


@pytest.mark.parametrize(
    ("timeout", "limit", "is_pulled"),
    [("PT2S", "10", True), ("PT0H0M2.5S", "0", True), ("", "5", True), ("PT1M", "", False), ("P1Y", "many", False)],
)
def test_no_more_is_pulled_than_a_server_says_it_can_give(timeout: str, limit: str, is_pulled: bool) -> None:
    refused = reply(
        said(
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>more than it can</s:Text></s:Reason><s:Detail>"
            f'<PullMessagesFaultResponse xmlns="{NAMESPACES["tev"]}"><MaxTimeout>{timeout}</MaxTimeout>'
            f"<MaxMessageLimit>{limit}</MaxMessageLimit></PullMessagesFaultResponse></s:Detail></s:Fault>"
        ),
        500,
    )
    asked: list[tuple[int, int]] = []

    def pull(content: bytes) -> Reply:
        found = re.search(rb"<tev:Timeout>PT(\d+)S</tev:Timeout><tev:MessageLimit>(\d+)<", content)
        assert found is not None
        asked.append((int(found[1]), int(found[2])))
        return refused if len(asked) == 1 else reply(PULLED)

    canned = Canned({"GetServices": EVENTS, "CreatePullPointSubscription": created(REFERENCE.format("urn:a", AT)), "PullMessages": pull})
    point = PullPoint(device(canned), CLOCK)
    point.open()
    if not is_pulled:
        with pytest.raises(SoapFault):
            point.pull(20.0)
        assert len(asked) == 1
        return
    assert len(point.pull(20.0)) == 1
    assert asked[1][0] <= (2 if timeout else 20)
    assert 1 <= asked[1][1] <= max(1, int(limit))


def test_a_server_without_events_and_analytics_has_answered_and_leaves_all_unknown() -> None:
    interview = Interview(Canned({}), CLOCK)
    armament = OnvifAnalytics(device(Canned({"GetServices": MEDIA})), CLOCK).audit(interview)
    assert armament.is_armed is Level.UNKNOWN
    assert [(each.question, each.outcome) for each in interview.evidence] == [("tds:GetServices", Outcome.ANSWERED)]
    assert interview.findings == ()


@pytest.mark.parametrize("soap", ["urn:soap", ""])
def test_what_is_in_no_envelope_of_soap_is_no_answer(soap: str) -> None:
    content = said(WHO, soap) if soap else envelope(WHO).replace(b"e:Envelope", b"e:Letter")
    with pytest.raises(CameraError):
        device(Canned({"GetDeviceInformation": content})).identity()
