"""Devices of tests are on this machine, which no camera network holds unless it is named."""

from __future__ import annotations

from typing import Final

from lamppost.model.device_settings import DeviceSettings
from lamppost.model.networks import CameraNetworks

LOOPBACK: Final = "127.0.0.0/8"
ON_LOOPBACK: Final = CameraNetworks([LOOPBACK])
DEVICES_ON_LOOPBACK: Final = DeviceSettings(networks=(LOOPBACK,))
TABLE_OF_LOOPBACK: Final = f'[devices]\nnetworks = ["{LOOPBACK}"]\n'
