"""The ONVIF analytics service: rules and modules, those about faces among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lamppost.base.clock import format_utc
from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.notifications import appearance
from lamppost.cameras.simulated.soap import SoapRefusal, required
from lamppost.cameras.simulated.state import Rule
from lamppost.cameras.simulated.tokens import ANALYTICS_CONFIGURATION
from lamppost.model.devices import Ability

_MOST_RULES: Final = 8
# What a rule of each type is set by, and the topic it tells of.
_RULES: Final[dict[str, tuple[tuple[tuple[str, str], ...], str]]] = {
    "tt:CellMotionDetector": (
        (("MinCount", "xs:integer"), ("ActiveCells", "xs:base64Binary")), "tns1:RuleEngine/CellMotionDetector/Motion"
    ),
    "tt:LineDetector": ((("Direction", "xs:string"), ("ClassFilter", "tt:StringList")), "tns1:RuleEngine/LineDetector/Crossed"),
    "tt:FieldDetector": ((("ClassFilter", "tt:StringList"),), "tns1:RuleEngine/FieldDetector/ObjectsInside"),
    "tt:ObjectDetection": ((("ClassFilter", "tt:StringList"), ("ConfidenceLevel", "xs:float")), "tns1:RuleEngine/ObjectDetection/Object"),
    "tt:FaceRecognition": ((("RecognitionMode", "xs:string"), ("ConfidenceLevel", "xs:float")), "tns1:RuleEngine/Recognition/Face"),
}  # fmt: skip
_MODULES: Final = {
    "tt:CellMotionEngine": (("Sensitivity", "xs:integer"),),
    "tt:ObjectTrackerEngine": (("MaxObjects", "xs:integer"),),
    "tt:FaceEngine": (("Sensitivity", "xs:integer"),),
}


def first_rules(most: Ability | None, *, is_armed: bool) -> dict[str, Rule]:
    """The rules that a camera has when it is new, those about faces where it is able and armed."""
    rules = {
        "MyMotionDetectorRule": Rule("tt:CellMotionDetector", {"MinCount": "20", "ActiveCells": "zwA="}),
        "MyLineRule": Rule("tt:LineDetector", {"Direction": "Any", "ClassFilter": "Human Vehicle"}),
    }
    if is_armed and most is not None:
        rules["MyFaceSeenRule"] = Rule("tt:ObjectDetection", {"ClassFilter": "Face", "ConfidenceLevel": "0.5"})
    if is_armed and most is Ability.RECOGNISE:
        rules["MyFaceRule"] = Rule("tt:FaceRecognition", {"RecognitionMode": "All", "ConfidenceLevel": "0.8"})
    return rules


def first_modules(most: Ability | None, *, is_armed: bool) -> dict[str, Rule]:
    """The modules that a camera has when it is new."""
    modules = {"MyCellMotionModule": Rule("tt:CellMotionEngine", {"Sensitivity": "60"})}
    if is_armed and most is not None:
        modules["MyFaceModule"] = Rule("tt:FaceEngine", {"Sensitivity": "60"})
    return modules


def analytics_configuration(call: Call, element: str) -> Markup:
    """The configuration that both media services show: all modules and rules."""
    return tag(
        element,
        tag("tt:Name", "AnalyticsConfig"),
        tag("tt:UseCount", 2),
        tag("tt:AnalyticsEngineConfiguration", _configs("tt:AnalyticsModule", call.state.modules)),
        tag("tt:RuleEngineConfiguration", _configs("tt:Rule", call.state.rules)),
        token=ANALYTICS_CONFIGURATION,
    )


def _configs(element: str, rules: dict[str, Rule]) -> Markup:
    return join(*(_config(element, name, rule) for name, rule in rules.items()))


def _config(element: str, name: str, rule: Rule) -> Markup:
    items = (tag("tt:SimpleItem", Name=key, Value=value) for key, value in rule.parameters.items())
    return tag(element, tag("tt:Parameters", *items), Name=name, Type=rule.type)


def _rule_types(most: Ability | None) -> tuple[str, ...]:
    return tuple(kind for kind in _RULES if kind != "tt:FaceRecognition" or most is Ability.RECOGNISE)


def _module_types(most: Ability | None) -> tuple[str, ...]:
    return tuple(kind for kind in _MODULES if kind != "tt:FaceEngine" or most is not None)


def _classes(most: Ability | None) -> str:
    return "Human Vehicle" if most is None else "Human Vehicle Face"


def _ours(call: Call) -> Call:
    if required(call.body, "ConfigurationToken") != ANALYTICS_CONFIGURATION:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoConfig"), "there is no such configuration")
    return call


def _described(name: str, parameters: tuple[tuple[str, str], ...], topic: str, element: str) -> Markup:
    items = (tag("tt:SimpleItemDescription", Name=key, Type=kind) for key, kind in parameters)
    data = tag("tt:Data", tag("tt:SimpleItemDescription", Name="State", Type="xs:boolean"))
    messages = tag("tt:Messages", data, tag("tt:ParentTopic", topic), IsProperty=True) if topic else None
    return tag(element, tag("tt:Parameters", *items), messages, Name=name)


def _supported_rules(call: Call) -> Markup:
    kinds = _rule_types(_ours(call).state.most)
    return tag(
        "tan:SupportedRules",
        tag("tt:RuleContentSchemaLocation", "http://www.w3.org/2001/XMLSchema"),
        *(_described(kind, *_RULES[kind], "tt:RuleDescription") for kind in kinds),
        Limit=_MOST_RULES,
    )


def _supported_modules(call: Call) -> Markup:
    kinds = _module_types(_ours(call).state.most)
    return tag(
        "tan:SupportedAnalyticsModules",
        tag("tt:AnalyticsModuleContentSchemaLocation", "http://www.w3.org/2001/XMLSchema"),
        *(_described(kind, _MODULES[kind], "", "tt:AnalyticsModuleDescription") for kind in kinds),
        Limit=_MOST_RULES,
    )


def _rule_options(call: Call) -> Markup:
    most = _ours(call).state.most
    wanted = call.body.value("RuleType").rpartition(":")[2]
    kinds = [kind for kind in _rule_types(most) if wanted in ("", kind.rpartition(":")[2])]
    if wanted and not kinds:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:RuleNotExistent"), "there is no such rule")
    options: list[Markup] = []
    for kind in kinds:
        for name, kind_of_value in _RULES[kind][0]:
            if name == "ClassFilter":
                classes = tag("tt:StringList", _classes(most))
                options.append(tag("tan:RuleOptions", classes, Name=name, Type=kind_of_value, RuleType=kind))
            elif name == "ConfidenceLevel":
                bounds = tag("tt:FloatRange", tag("tt:Min", 0.0), tag("tt:Max", 1.0))
                options.append(tag("tan:RuleOptions", bounds, Name=name, Type=kind_of_value, RuleType=kind))
    return join(*options)


def _supported_metadata(call: Call) -> Markup:
    """A frame as the metadata stream may carry one, with every class of object."""
    kinds = _classes(call.state.most).split()
    objects = (tag("tt:Object", appearance(kind), ObjectId=number) for number, kind in enumerate(kinds, 1))
    frame = tag("tan:SampleFrame", *objects, UtcTime=format_utc(call.machine.device_us()))
    return tag("tan:AnalyticsModule", frame, Type="tt:ObjectTrackerEngine")


def _given(call: Call, element: str) -> dict[str, Rule]:
    """The rules or modules that a request holds."""
    return {rule.attributes.get("Name", "")[:64]: _rule(rule) for rule in call.body.own(element)}


def _rule(node: Node) -> Rule:
    items = {item.attributes.get("Name", "")[:64]: item.attributes.get("Value", "")[:1024] for item in node.each("SimpleItem")}
    return Rule(f"tt:{node.attributes.get('Type', '').rpartition(':')[2]}"[:64], items)


def _create(call: Call, element: str, known: dict[str, Rule], kinds: tuple[str, ...]) -> Markup:
    given = _given(_ours(call), element)
    for name, rule in given.items():
        if rule.type not in kinds:
            raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:InvalidRule"), "there is no such type")
        if name in known:
            raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:RuleAlreadyExistent"), "that name is taken")
    if len(known) + len(given) > _MOST_RULES:
        raise SoapRefusal("Receiver", ("ter:Action", "ter:TooManyRules"), "there are too many")
    known.update(given)
    return Markup()


def _modify(call: Call, element: str, known: dict[str, Rule]) -> Markup:
    given = _given(_ours(call), element)
    _must_exist(given, known)
    for name, rule in given.items():
        known[name] = Rule(known[name].type, known[name].parameters | rule.parameters)
    return Markup()


def _delete(call: Call, element: str, known: dict[str, Rule]) -> Markup:
    names = [name.text.strip() for name in _ours(call).body.own(element)]
    _must_exist(names, known)
    for name in names:
        known.pop(name, None)
    return Markup()


def _must_exist(names: Iterable[str], known: dict[str, Rule]) -> None:
    if any(name not in known for name in names):
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:RuleNotExistent"), "there is no such rule")


OPERATIONS: Final[dict[str, Operation]] = {
    "GetSupportedRules": _supported_rules,
    "GetRules": lambda call: _configs("tan:Rule", _ours(call).state.rules),
    "GetRuleOptions": _rule_options,
    "CreateRules": lambda call: _create(call, "Rule", call.state.rules, _rule_types(call.state.most)),
    "ModifyRules": lambda call: _modify(call, "Rule", call.state.rules),
    "DeleteRules": lambda call: _delete(call, "RuleName", call.state.rules),
    "GetSupportedAnalyticsModules": _supported_modules,
    "GetAnalyticsModules": lambda call: _configs("tan:AnalyticsModule", _ours(call).state.modules),
    "CreateAnalyticsModules": lambda call: _create(call, "AnalyticsModule", call.state.modules, _module_types(call.state.most)),
    "ModifyAnalyticsModules": lambda call: _modify(call, "AnalyticsModule", call.state.modules),
    "DeleteAnalyticsModules": lambda call: _delete(call, "AnalyticsModuleName", call.state.modules),
    "GetSupportedMetadata": _supported_metadata,
}
