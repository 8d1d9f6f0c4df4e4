"""Every answer of every vendor's simulated camera is what ONVIF's own schemas say, read by a strict reader and by zeep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import requests
import zeep
import zeep.transports
from lxml import etree
from onvif.utils.wsdl import ONVIFWSDL
from requests.auth import HTTPDigestAuth

from asked_camera import Asking, asking
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.vendors import VENDORS
from lamppost.model.devices import Ability
from onvif_schemas import schemas

_ANALYTICS = "<tan:ConfigurationToken>AnalyticsConfig_1</tan:ConfigurationToken>"
_SOURCE = "<timg:VideoSourceToken>VideoSource_1</timg:VideoSourceToken>"
# `{main}` is the token of the main profile.
QUESTIONS = (
    ("tds:GetDeviceInformation", ""),
    ("tds:GetServices", "<tds:IncludeCapability>true</tds:IncludeCapability>"),
    ("tds:GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>"),
    ("tds:GetServiceCapabilities", ""),
    ("tds:GetCapabilities", ""),
    ("tds:GetCapabilities", "<tds:Category>Media</tds:Category>"),
    ("tds:GetSystemDateAndTime", ""),
    ("tds:GetHostname", ""),
    ("tds:GetScopes", ""),
    ("tds:GetNetworkInterfaces", ""),
    ("tds:GetNetworkProtocols", ""),
    ("tds:GetNTP", ""),
    ("tds:GetUsers", ""),
    ("tds:GetEndpointReference", ""),
    ("tds:GetDiscoveryMode", ""),
    ("tds:GetWsdlUrl", ""),
    ("tds:GetRelayOutputs", ""),
    ("tds:GetDNS", ""),
    ("tds:GetNetworkDefaultGateway", ""),
    ("tds:AddScopes", "<tds:ScopeItem>onvif://www.onvif.org/location/square</tds:ScopeItem>"),
    ("tds:GetScopes", ""),
    ("tds:RemoveScopes", "<tds:ScopeItem>onvif://www.onvif.org/location/square</tds:ScopeItem>"),
    ("trt:GetServiceCapabilities", ""),
    ("trt:GetProfiles", ""),
    ("trt:GetProfile", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    (
        "trt:GetStreamUri",
        "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream></trt:StreamSetup><trt:ProfileToken>{main}</trt:ProfileToken>",
    ),
    ("trt:GetSnapshotUri", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("trt:GetVideoSources", ""),
    ("trt:GetVideoSourceConfigurations", ""),
    ("trt:GetVideoEncoderConfigurations", ""),
    ("trt:GetVideoEncoderConfiguration", "<trt:ConfigurationToken>VideoEncoder_2</trt:ConfigurationToken>"),
    ("trt:GetVideoEncoderConfigurationOptions", ""),
    ("trt:GetVideoEncoderConfigurationOptions", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("trt:GetCompatibleVideoEncoderConfigurations", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("trt:GetGuaranteedNumberOfVideoEncoderInstances", "<trt:ConfigurationToken>VideoSourceConfig_1</trt:ConfigurationToken>"),
    ("trt:GetVideoSourceConfiguration", "<trt:ConfigurationToken>VideoSourceConfig_1</trt:ConfigurationToken>"),
    ("trt:GetCompatibleVideoSourceConfigurations", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("trt:GetVideoSourceConfigurationOptions", ""),
    ("trt:GetVideoAnalyticsConfiguration", "<trt:ConfigurationToken>AnalyticsConfig_1</trt:ConfigurationToken>"),
    ("trt:GetMetadataConfigurations", ""),
    ("trt:GetMetadataConfiguration", "<trt:ConfigurationToken>MetadataConfig_1</trt:ConfigurationToken>"),
    ("trt:GetCompatibleMetadataConfigurations", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("trt:GetMetadataConfigurationOptions", ""),
    ("trt:SetSynchronizationPoint", "<trt:ProfileToken>{main}</trt:ProfileToken>"),
    ("tr2:GetServiceCapabilities", ""),
    ("tr2:GetProfiles", ""),
    ("tr2:GetProfiles", "<tr2:Type>All</tr2:Type>"),
    ("tr2:GetStreamUri", "<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{main}</tr2:ProfileToken>"),
    ("tr2:GetSnapshotUri", "<tr2:ProfileToken>{main}</tr2:ProfileToken>"),
    ("tr2:GetVideoSourceConfigurations", ""),
    ("tr2:GetVideoEncoderConfigurations", ""),
    ("tr2:GetVideoEncoderConfigurationOptions", ""),
    ("tr2:GetVideoEncoderInstances", "<tr2:ConfigurationToken>VideoSourceConfig_1</tr2:ConfigurationToken>"),
    ("tr2:GetVideoSourceConfigurationOptions", ""),
    ("tr2:GetMetadataConfigurationOptions", ""),
    ("tr2:SetSynchronizationPoint", "<tr2:ProfileToken>{main}</tr2:ProfileToken>"),
    ("tr2:GetMetadataConfigurations", ""),
    ("tr2:GetAnalyticsConfigurations", ""),
    ("tev:GetServiceCapabilities", ""),
    ("tev:GetEventProperties", ""),
    ("tev:CreatePullPointSubscription", ""),
    ("tptz:GetServiceCapabilities", ""),
    ("tptz:GetNodes", ""),
    ("tptz:GetNode", "<tptz:NodeToken>PTZNode_1</tptz:NodeToken>"),
    ("tptz:GetConfigurations", ""),
    ("tptz:GetConfiguration", "<tptz:PTZConfigurationToken>PTZConfig_1</tptz:PTZConfigurationToken>"),
    ("tptz:GetConfigurationOptions", "<tptz:ConfigurationToken>PTZConfig_1</tptz:ConfigurationToken>"),
    ("tptz:GetPresets", "<tptz:ProfileToken>{main}</tptz:ProfileToken>"),
    ("tptz:GetStatus", "<tptz:ProfileToken>{main}</tptz:ProfileToken>"),
    ("timg:GetServiceCapabilities", ""),
    ("timg:GetImagingSettings", _SOURCE),
    ("timg:GetOptions", _SOURCE),
    ("timg:GetStatus", _SOURCE),
    ("timg:GetMoveOptions", _SOURCE),
    ("tmd:GetServiceCapabilities", ""),
    ("tmd:GetDigitalInputs", ""),
    ("tmd:GetVideoSources", ""),
    ("tmd:GetRelayOutputOptions", ""),
    ("tan:GetServiceCapabilities", ""),
    ("tan:GetSupportedRules", _ANALYTICS),
    ("tan:GetRules", _ANALYTICS),
    ("tan:GetRuleOptions", _ANALYTICS),
    ("tan:GetSupportedAnalyticsModules", _ANALYTICS),
    ("tan:GetAnalyticsModules", _ANALYTICS),
    ("tan:GetSupportedMetadata", ""),
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    return schemas(tmp_path_factory.mktemp("onvif"))


@pytest.fixture(scope="module", params=[*VENDORS, "onvif, able to do nothing"])
def client(request: pytest.FixtureRequest) -> Iterator[Asking]:
    vendor, _, is_plain = request.param.partition(", ")
    with SimulatedCamera(vendor, most=None if is_plain else Ability.RECOGNISE) as camera, asking(camera) as client:
        yield client


def test_every_answer_is_valid(client: Asking, published: Mapping[str, Any]) -> None:
    main = client.camera.profile_tokens[0]
    checked = 0
    for operation, arguments in QUESTIONS:
        prefix = operation.partition(":")[0]
        if not client.camera.has(prefix):
            continue
        reply = client.post(operation, arguments.format(main=main))
        assert reply.status == 200, (operation, reply.content)
        answer = etree.fromstring(reply.content)[-1][0]
        assert etree.QName(answer).localname == f"{operation.partition(':')[2]}Response"
        schema = published[prefix]
        # On its own, with the namespaces that its values are written in.
        alone = etree.fromstring(etree.tostring(answer))
        assert schema.validate(alone), (operation, str(schema.error_log), reply.content)
        checked += 1
    assert checked > 40


def test_messages_are_valid(client: Asking, published: Mapping[str, Any]) -> None:
    address = client.ask("tev:CreatePullPointSubscription").value("Address")
    for name in ("face", "plate", "object", "person", "face-seen"):
        client.camera.emit(name)
    reply = client.post(
        "tev:PullMessages",
        "<tev:Timeout>PT1S</tev:Timeout><tev:MessageLimit>100</tev:MessageLimit>",
        path=address.removeprefix(client.camera.base),
    )
    alone = etree.fromstring(etree.tostring(etree.fromstring(reply.content)[-1][0]))
    assert published["tev"].validate(alone), str(published["tev"].error_log)
    messages = list(alone.iter("{http://www.onvif.org/ver10/schema}Message"))
    assert len(messages) == 10
    for message in messages:
        assert published["tds"].validate(etree.fromstring(etree.tostring(message))), str(published["tds"].error_log)


def test_the_schemas_can_fail(published: Mapping[str, Any]) -> None:
    wrong = '<tds:GetHostnameResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl"><tds:Name>x</tds:Name></tds:GetHostnameResponse>'
    assert not published["tds"].validate(etree.fromstring(wrong))


@pytest.mark.parametrize("vendor", ["onvif", "hikvision"])
def test_zeep_reads_it_strictly(vendor: str) -> None:
    with SimulatedCamera(vendor, number=7) as camera, requests.Session() as session:
        session.auth = HTTPDigestAuth(camera.username, camera.password)
        transport = zeep.transports.Transport(session=session)
        known = ONVIFWSDL.get_definition("devicemgmt")
        client = zeep.Client(known["path"], transport=transport, settings=zeep.Settings(strict=True))
        device = client.create_service(f"{{{known['namespace']}}}{known['binding']}", camera.url)
        said = device.GetDeviceInformation()
        assert (said.Manufacturer, said.SerialNumber) == (camera.identity.vendor, camera.identity.serial)
        assert device.GetNetworkInterfaces()[0].Info.HwAddress == camera.identity.mac
        with pytest.raises(zeep.exceptions.Fault) as fault:
            device.SetUser([{"Username": "nobody", "Password": "correct horse", "UserLevel": "User"}])
        assert [code.localname for code in fault.value.subcodes] == ["InvalidArgVal", "UsernameMissing"]
