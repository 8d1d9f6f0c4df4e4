"""Which devices may be talked to, and how often they are looked at: the table `[devices]` of `lamppost.toml`.

Every field's description is its documentation.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, Final, Self

from pydantic import Field, field_validator, model_validator

from lamppost.model.networks import PRIVATE, CameraNetworks
from lamppost.model.section import Section

MOST_SEARCHED: Final = 4096


class DeviceSettings(Section):
    """The devices behind the cameras: where they may be, and how often they are asked."""

    networks: tuple[str, ...] = Field(
        default=PRIVATE,
        max_length=256,
        description="The networks that cameras are in; nothing connects to a camera anywhere else. Loopback (`127.0.0.0/8`), link-local "
        "and the addresses where clouds keep their keys are allowed by a network that lies within them, and by no wider one; "
        "each other address of this machine by itself alone (`10.20.0.5/32`).",
    )
    interfaces: tuple[str, ...] = Field(
        default=(), max_length=32, description="Addresses of our own on which devices are looked for; all where empty."
    )
    search: tuple[str, ...] = Field(
        default=(),
        max_length=64,
        description="Networks whose addresses are asked one by one where a device does not answer a call to all, such as "
        '`["10.20.0.0/24"]`; 4096 addresses at most, each in `networks`.',
    )
    health_s: Annotated[float, Field(ge=5, le=86_400)] = Field(
        default=60.0, description="Time between two looks at a device's clock, storage and temperature, in seconds."
    )
    audit_h: Annotated[float, Field(ge=0.1, le=8760)] = Field(
        default=24.0, description="Time between two audits of what each device is able to do, in hours."
    )

    @field_validator("networks", "search")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no network; write it as 10.20.0.0/16") from error
        return networks

    @model_validator(mode="after")
    def _may_be_searched(self) -> Self:
        left = MOST_SEARCHED
        for text in self.search:
            network = ip_network(text)
            left -= network.num_addresses
            if left < 0:
                raise ValueError(f"search: {text} makes more than {MOST_SEARCHED} addresses; name smaller networks")
            ends = (network[0], network[-1]) if network.num_addresses <= 2 else (network[1], network[-2])
            if refused := next((why for end in ends if (why := self.camera_networks.why_outside(str(end)))), ""):
                raise ValueError(f"search: {text} cannot be searched: {refused}; name its network in networks")
        return self

    @property
    def camera_networks(self) -> CameraNetworks:
        return CameraNetworks(self.networks)
