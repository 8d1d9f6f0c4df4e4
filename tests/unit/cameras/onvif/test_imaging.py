"""Picture settings are read and set by plain names."""

from __future__ import annotations

import pytest

from lamppost.base.errors import CameraError, ConfigError
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.faults import SoapFault
from lamppost.cameras.onvif.imaging import Imaging
from onvif_devices import Canned, device, envelope, simulated

VENDORS = ("onvif", "onvif-s", "dahua", "hikvision", "axis")


@pytest.mark.parametrize("vendor", VENDORS)
def test_pictures_of_every_vendor_are_read_and_set(vendor: str) -> None:
    with simulated(vendor) as (camera, web):
        imaging = Imaging(device(web))
        (source,) = imaging.sources()
        before = imaging.settings(source)
        assert (before["brightness"], before["infrared_filter"]) == (50.0, "AUTO")
        imaging.set(source, brightness=61.5, contrast=40.0, infrared_filter="OFF")
        assert imaging.settings(source) == before | {"brightness": 61.5, "contrast": 40.0, "infrared_filter": "OFF"}
        assert camera.state.imaging["Brightness"] == 61.5


def test_a_setting_that_there_is_not_is_not_sent() -> None:
    with simulated("onvif") as (camera, web):
        imaging = Imaging(device(web))
        with pytest.raises(ConfigError) as wrong:
            imaging.set("VideoSource_1", glamour=1.0)
        assert "brightness" in wrong.value.remedy
        with pytest.raises(SoapFault):
            imaging.set("VideoSource_1", brightness=1e9)
        with pytest.raises(SoapFault):
            imaging.settings("nowhere")
        assert camera.state.imaging["Brightness"] == 50.0


def test_numbers_that_are_none_are_left_out() -> None:
    services = f"<tds:Service><tds:Namespace>{Service.IMAGING.namespace}</tds:Namespace><tds:XAddr>http://x/i</tds:XAddr></tds:Service>"
    said = "<tt:Brightness>INF</tt:Brightness><tt:Contrast>7</tt:Contrast><tt:Sharpness>NaN</tt:Sharpness>"
    canned = Canned(
        {
            "GetServices": envelope(f"<tds:GetServicesResponse>{services}</tds:GetServicesResponse>"),
            "GetImagingSettings": envelope(
                f"<timg:GetImagingSettingsResponse><timg:ImagingSettings>{said}</timg:ImagingSettings></timg:GetImagingSettingsResponse>"
            ),
        }
    )
    assert Imaging(device(canned)).settings("x") == {"contrast": 7.0}


def test_a_device_without_picture_settings_says_so() -> None:
    with pytest.raises(CameraError):
        Imaging(device(Canned({"GetServices": envelope("<tds:GetServicesResponse/>")})))
