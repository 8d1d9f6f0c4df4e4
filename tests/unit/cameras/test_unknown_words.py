"""A word that nobody here knows, put anywhere into an answer that is otherwise clean, never leaves a no that it may belie."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.interview import Interview
from lamppost.cameras.dialects.replies import PlayedDevice, Variant, reply
from lamppost.cameras.dialects.words import is_of_faces
from lamppost.cameras.onvif.analytics import OnvifAnalytics
from lamppost.cameras.onvif.known_words import is_known
from lamppost.cameras.web import Reply
from lamppost.model.devices import Ability, Audit, DeviceIdentity, Level, conclude
from onvif_devices import CLOCK, Canned, Recording, device, simulated

WORD = "zqVisitorInsight"
CLEAN = {
    f"{vendor}-{name}": Variant.read(vendor, name)
    for vendor, names in {"hikvision": ("incapable", "off"), "dahua": ("off", "plain"), "axis": ("incapable", "off", "plain")}.items()
    for name in names
}
LEVELS, ARMED, LIBRARY, FOLLOWS = "levels", "armed", "library", "follows"
# What a word in the answer to a question may stand for, by a part of the question; the first that fits. Others are no questions of faces.
STANDS_FOR: Mapping[str, tuple[str, ...]] = {
    "/IntelliTrace/": (FOLLOWS,),
    "FDLib/capabilities": (LEVELS, LIBRARY),
    "/Intelligent/FDLib": (LIBRARY,),
    "/capabilities": (LEVELS,),
    "VCAResource": (LEVELS, ARMED),
    "/faceContrast": (LEVELS, ARMED),
    "/FaceDetect/": (LEVELS, ARMED),
    "inputs/channels|": (LEVELS, ARMED),
    "name=VideoAnalyseGlobal": (ARMED,),
    "name=VideoAnalyseRule": (ARMED,),
    "name=FaceRecognitionEventHandler": (ARMED,),
    "name=LeSmartTrack": (FOLLOWS,),
    "action=findGroup": (LIBRARY,),
    "action=getCaps": (LEVELS,),
    "applications/list": (LEVELS,),
    "EmbeddedDevelopment": (LEVELS,),
    "getSupportedMetadata": (LEVELS,),
    "listProducers": (LEVELS,),
}


def changed(question: str, text: str, word: str) -> Iterator[str]:
    """The answer with the word in it, once for each place where it may stand."""
    if text.lstrip().startswith("<"):
        yield from changed_xml(text, word)
    elif text.lstrip().startswith("{"):
        yield from (json.dumps(one) for one in changed_json(json.loads(text), word))
    else:
        yield from changed_lines(question, text, word)


def changed_xml(text: str, word: str) -> Iterator[str]:
    root = text.index(">", text.index("?>") + 2) + 1
    end = text.rindex("</")
    for match in re.finditer(r">(?=\s*<)", text[:end] + "<"):
        if match.end() >= root:
            for value in ("true", "1", word, ""):
                yield f"{text[: match.end()]}<{word}>{value}</{word}>{text[match.end() :]}"
            yield f'{text[: match.end()]}<{word} opt="{word}"/>{text[match.end() :]}'
    for match in re.finditer(r'<type(?: opt="([^"]*)"/>|>([^<]*)</type>)', text):
        found = match[0]
        yield text.replace(found, found.replace('opt="', f'opt="{word},') if match[1] else f"<type>{word}</type>")


def changed_json(found: Any, word: str) -> Iterator[Any]:
    """Beside each key, and in each list of words."""
    data = found.get("data", found)

    def within(value: Any) -> Iterator[None]:
        if isinstance(value, dict):
            for extra in (True, word, [word]):
                value[word] = extra
                yield
                del value[word]
            for inner in list(value.values()):
                yield from within(inner)
        elif isinstance(value, list):
            if all(isinstance(one, str) for one in value):
                value.append(word)
                yield
                value.pop()
            for inner in list(value):
                yield from within(inner)

    for _ in within(data):
        yield found


def changed_lines(question: str, text: str, word: str) -> Iterator[str]:
    lines = [line for line in text.replace("\r", "").split("\n") if line]
    handled = "EventHandler" in question
    for line in lines:
        key = line.partition("=")[0]
        above = key.rpartition(".")[0]
        names = (f"{above}.{word}", f"{above}.{word}Enable", f"{above}.{word}Mask") if handled else (f"{above}.{word}",)
        yield from ("\r\n".join((*lines, f"{name}=true", "")) for name in names)
        if re.search(r"(?:\.Type|\.Class|ObjectTypes\[\d+\]|TypeList\[\d+\])=", line):
            yield "\r\n".join((*(f"{key}={word}" if one == line else one for one in lines), ""))
    if "VideoAnalyseRule" in question:
        line = ("Class=Normal", "Type=CrossLineDetection", "Enable=true", f"Config.{word}=true")
        for each in ((f"Type={word}", "Enable=true"), ("Enable=true",), line):
            yield "\r\n".join((*lines, *(f"table.VideoAnalyseRule[0][9].{field}" for field in each), ""))
        yield "\r\n".join((*lines, f"table.VideoAnalyseRule[0].{word}=true", ""))


def audit(variant: Variant, question: str = "", text: str = "") -> Audit:
    replies = dict(variant.replies)
    if question:
        replies[question] = reply(200, text.encode(), replies[question].headers["content-type"])
    web = PlayedDevice(Variant(variant.vendor, variant.name, replies, variant.able))
    return audit_device("plaza", web, ManualClock(), identity=DeviceIdentity(vendor=variant.vendor))


def stands_for(question: str) -> tuple[str, ...]:
    return next((said for part, said in STANDS_FOR.items() if part in f"{question}|"), ())


def check(found: Audit, concerns: tuple[str, ...], told: str) -> None:
    """None of what the word may stand for is denied."""
    armament = found.armament
    levels = {
        LEVELS: {found.level(ability) for ability in Ability},
        ARMED: {armament.is_armed},
        LIBRARY: {armament.has_library},
        FOLLOWS: {armament.auto_tracking},
    }
    for concern in concerns:
        assert Level.NO not in levels[concern], (concern, told)


@pytest.mark.parametrize("name", CLEAN)
def test_an_unknown_word_in_any_place_leaves_no_no(name: str) -> None:
    variant, tried = CLEAN[name], 0
    for question, whole in variant.replies.items():
        concerns = stands_for(question)
        for text in changed(question, whole.content.decode(), WORD) if concerns else ():
            check(audit(variant, question, text), concerns, f"{question}\n{text}")
            tried += 1
    assert tried > 10


def test_clean_answers_are_told_as_such() -> None:
    """Or else the test above would be true of nothing."""
    found = {name: audit(variant) for name, variant in CLEAN.items()}
    assert {name for name, one in found.items() if one.detect is one.capture is one.recognise is Level.NO} == {
        "hikvision-incapable",
        "axis-incapable",
    }
    assert {name for name, one in found.items() if one.armament.is_armed is Level.NO} == set(CLEAN) - {"dahua-plain"}
    assert {name for name, one in found.items() if one.armament.has_library is Level.NO} >= {"hikvision-incapable", "dahua-off"}


@settings(max_examples=200, deadline=None)
@given(name=st.sampled_from(sorted(CLEAN)), data=st.data(), word=st.from_regex(r"[a-z]{3,9}[A-Z][a-z]{3,9}", fullmatch=True))
def test_no_word_of_any_letters_leaves_a_no(name: str, data: st.DataObject, word: str) -> None:
    assume(not is_known(word) and not is_of_faces(word) and "track" not in word.lower())
    variant = CLEAN[name]
    question = data.draw(st.sampled_from(sorted(question for question in variant.replies if stands_for(question))))
    text = data.draw(st.sampled_from(list(changed(question, variant.replies[question].content.decode(), word))))
    check(audit(variant, question, text), stands_for(question), f"{question}\n{text}")


def test_what_is_written_in_a_word_that_nobody_knows_may_be_of_faces() -> None:
    variant = CLEAN["axis-plain"]
    question = next(question for question in variant.replies if "getSupportedMetadata" in question)
    for text in changed(question, variant.replies[question].content.decode(), WORD):
        check(audit(variant, question, text), (ARMED,), text)


@pytest.mark.parametrize("status", ["Running", "Idle", WORD, ""])
def test_an_application_that_nobody_knows_is_never_off_unless_it_is_stopped(status: str) -> None:
    variant = CLEAN["axis-plain"]
    question = "GET /axis-cgi/applications/list.cgi"
    told = f'<application Name="{WORD}" NiceName="{WORD}" Vendor="Axis Communications" Status="{status}"/></reply>'
    text = variant.replies[question].content.decode()
    found = audit(variant, question, text.replace("</reply>", told))
    check(found, (LEVELS, ARMED, FOLLOWS), told)
    stopped = audit(variant, question, text.replace("</reply>", told.replace(f'"{status}"', '"Stopped"')))
    assert stopped.armament.is_armed is Level.NO


def test_an_application_of_faces_that_does_not_say_that_it_is_stopped_is_not_off() -> None:
    variant = CLEAN["axis-off"]
    question = "GET /axis-cgi/applications/list.cgi"
    text = variant.replies[question].content.decode()
    for status in ("", 'Status="Idle"', 'Status="Suspended"'):
        check(audit(variant, question, text.replace('Status="Stopped"', status)), (ARMED, FOLLOWS), status)


@pytest.fixture(scope="module")
def plain() -> Mapping[str, Reply]:
    """The ONVIF answers of a device that has nothing to do with faces."""
    with simulated("onvif", most=None, is_armed=False) as (_, web):
        recording = Recording(web)
        OnvifAnalytics(device(recording), CLOCK).audit(Interview(recording, CLOCK))  # type: ignore[arg-type]
        return recording.answers


ANALYTICS = (
    *("GetSupportedRules", "GetSupportedAnalyticsModules", "GetRuleOptions", "GetRules", "GetAnalyticsModules"),
    *("GetSupportedMetadata", "GetEventProperties", "GetServiceCapabilities"),
)


def test_an_unknown_word_in_an_answer_in_onvif_leaves_every_level_unknown(plain: Mapping[str, Reply]) -> None:
    def audited(answers: Mapping[str, Reply]) -> tuple[Level, set[Level]]:
        web: Any = Canned(answers)
        interview = Interview(web, CLOCK)
        armament = OnvifAnalytics(device(web), CLOCK).audit(interview)
        return armament.is_armed, {finding.level for finding in interview.findings} | {conclude(interview.findings, Ability.DETECT)}

    armed, found = audited({**plain, "GetSupportedMetadata": plain["GetSupportedMetadata"]})
    assert armed is Level.NO
    for operation in ANALYTICS:
        text = plain[operation].content.decode()
        places = [match.end() for match in re.finditer(r">(?=\s*<)", text) if match.end() > text.index("Response")]
        names = [match for match in re.finditer(r'\b(Type|Name)="([^"]*)"', text)]
        mutated = [f"{text[:at]}<tt:{WORD}>true</tt:{WORD}>{text[at:]}" for at in places if "Response>" not in text[at - 40 : at]]
        mutated += [f'{text[: one.start()]}{one[1]}="x:{WORD}"{text[one.end() :]}' for one in names if one[1] == "Type"]
        assert mutated, operation
        for each in mutated:
            armed, found = audited({**plain, operation: Reply(200, plain[operation].headers, each.encode())})
            assert found == {Level.UNKNOWN}, (operation, each)
            if operation in ("GetRules", "GetAnalyticsModules"):
                assert armed is Level.UNKNOWN, (operation, each)
