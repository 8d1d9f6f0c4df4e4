"""The ONVIF device-IO service: relays and digital inputs; the device service knows the relays too."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.notifications import relay
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, required
from lamppost.cameras.simulated.tokens import SOURCE


def relay_outputs(call: Call) -> Markup:
    """The relays: asked in the words of the device service at the address of either."""
    properties = tag("tt:Properties", tag("tt:Mode", "Bistable"), tag("tt:DelayTime", "PT0S"), tag("tt:IdleState", "open"))
    return join(*(tag("tds:RelayOutputs", properties, token=token) for token in call.state.relays))


def set_relay_output_state(call: Call) -> Markup:
    """Switch a relay, and tell who listens."""
    token, wanted = required(call.body, "RelayOutputToken"), required(call.body, "LogicalState")
    if token not in call.state.relays:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:RelayToken"), "there is no such relay")
    if wanted not in ("active", "inactive"):
        raise invalid("ter:LogicalState", "a relay is active or inactive")
    call.state.relays[token] = wanted == "active"
    call.machine.tell(relay(token, wanted == "active"))
    return Markup()


def _digital_inputs(call: Call) -> Markup:
    return join(*(tag("tmd:DigitalInputs", token=token, IdleState="open") for token in call.state.inputs))


def _video_sources(_: Call) -> Markup:
    return tag("tmd:Token", SOURCE)


OPERATIONS: Final[dict[str, Operation]] = {
    "GetDigitalInputs": _digital_inputs,
    "GetVideoSources": _video_sources,
}
