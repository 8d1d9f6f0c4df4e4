"""What the simulated camera's sources and configurations are called in ONVIF."""

from __future__ import annotations

from typing import Final

SOURCE: Final = "VideoSource_1"
SOURCE_CONFIGURATION: Final = "VideoSourceConfig_1"
PTZ_CONFIGURATION: Final = "PTZConfig_1"
PTZ_NODE: Final = "PTZNode_1"
METADATA_CONFIGURATION: Final = "MetadataConfig_1"
ANALYTICS_CONFIGURATION: Final = "AnalyticsConfig_1"
ENCODERS: Final = ("VideoEncoder_1", "VideoEncoder_2")
INTERFACE: Final = "eth0"
