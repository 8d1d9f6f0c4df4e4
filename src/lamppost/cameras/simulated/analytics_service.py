"""The ONVIF analytics service: rules and modules, those about faces among them."""

from __future__ import annotations

from lamppost.cameras.simulated.configurations import ANALYTICS_CONFIGURATION
from lamppost.cameras.simulated.machine import Call
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.state import Rule


def _config(element: str, name: str, rule: Rule) -> Markup:
    items = (tag("tt:SimpleItem", Name=key, Value=value) for key, value in rule.parameters.items())
    return tag(element, tag("tt:Parameters", *items), Name=name, Type=rule.type)


def _configs(element: str, rules: dict[str, Rule]) -> Markup:
    return join(*(_config(element, name, rule) for name, rule in rules.items()))


def analytics_configuration(call: Call, element: str) -> Markup:
    return tag(
        element,
        tag("tt:Name", "AnalyticsConfig"),
        tag("tt:UseCount", 2),
        tag("tt:AnalyticsEngineConfiguration", _configs("tt:AnalyticsModule", call.state.modules)),
        tag("tt:RuleEngineConfiguration", _configs("tt:Rule", call.state.rules)),
        token=ANALYTICS_CONFIGURATION,
    )
