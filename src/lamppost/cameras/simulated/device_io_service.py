"""The ONVIF device-IO service: relays and digital inputs; the device service knows the relays too."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.notifications import relay
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, required
from lamppost.cameras.simulated.tokens import SOURCE


def _properties(call: Call, token: str) -> Markup:
    idle = call.state.idle_relays.get(token, "open")
    return tag("tt:Properties", tag("tt:Mode", "Bistable"), tag("tt:DelayTime", "PT0S"), tag("tt:IdleState", idle))


def _relay_outputs(call: Call) -> Markup:
    return join(*(tag("tds:RelayOutputs", _properties(call, token), token=token) for token in call.state.relays))


def _relay(call: Call, token: str) -> str:
    if token not in call.state.relays:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:RelayToken"), "there is no such relay")
    return token


def _set_relay_output_state(call: Call) -> Markup:
    """Switch a relay, and tell who listens."""
    token, wanted = _relay(call, required(call.body, "RelayOutputToken")), required(call.body, "LogicalState")
    if wanted not in ("active", "inactive"):
        raise invalid("ter:LogicalState", "a relay is active or inactive")
    call.state.relays[token] = wanted == "active"
    call.machine.tell(relay(token, wanted == "active"))
    return Markup()


def _set_relay_output_settings(call: Call) -> Markup:
    token = _relay(call, required(call.body, "RelayOutputToken"))
    if required(call.body, "Mode") != "Bistable":
        raise invalid("ter:ModeError", "a relay here is Bistable")
    idle = required(call.body, "IdleState")
    if idle not in ("open", "closed"):
        raise invalid("ter:InvalidArgVal", "a relay is open or closed")
    call.state.idle_relays[token] = idle
    return Markup()


def _relay_output_options(call: Call) -> Markup:
    asked = call.body.value("RelayOutputToken")
    tokens = [_relay(call, asked)] if asked else list(call.state.relays)
    return join(*(tag("tmd:RelayOutputOptions", tag("tmd:Mode", "Bistable"), token=token) for token in tokens))


def _digital_inputs(call: Call) -> Markup:
    return join(*(tag("tmd:DigitalInputs", token=token, IdleState="open") for token in call.state.inputs))


def _video_sources(_: Call) -> Markup:
    return tag("tmd:Token", SOURCE)


# In the words of the device service, at the address of either.
RELAYS: Final[dict[str, Operation]] = {
    "GetRelayOutputs": _relay_outputs,
    "SetRelayOutputState": _set_relay_output_state,
    "SetRelayOutputSettings": _set_relay_output_settings,
}
OPERATIONS: Final[dict[str, Operation]] = {
    "GetRelayOutputOptions": _relay_output_options,
    "GetDigitalInputs": _digital_inputs,
    "GetVideoSources": _video_sources,
}
