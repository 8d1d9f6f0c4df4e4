"""What is known against firmware is told of whom it is about; a broken list is refused in lines that say where."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError
from lamppost.model.firmware_list import (
    AdvisoryState,
    FirmwareList,
    KnownDevice,
    advisories_for,
    bans_for,
    list_schema,
    matches,
    read_list,
)
from lamppost.pipeline.firmware import SHIPPED

CAMERA = KnownDevice(("HIKVISION",), "DS-2CD2032F-I", "V5.4.0 build 160401")


def list_of(**advisory: Any) -> FirmwareList:
    whole = {"id": "CVE-1", "vendor": "hikvision*", "title": "x", "severity": "high"} | advisory
    return read_list(json.dumps({"name": "test", "published": "2026-11-28", "advisories": [whole]}))


def state_of(known: FirmwareList, device: KnownDevice) -> AdvisoryState | None:
    found = advisories_for(known, device)
    return found[0].state if found else None


def with_firmware(firmware: str) -> KnownDevice:
    return KnownDevice(CAMERA.vendors, CAMERA.model, firmware)


def test_firmware_within_a_range_is_affected_and_outside_it_is_not() -> None:
    known = list_of(affected=[{"first": "V5.2.0 build 140721", "last": "V5.4.0 build 160530"}])
    for affected in ("V5.2.0 build 140721", "V5.3.3", "V5.4.0 build 160530"):
        assert state_of(known, with_firmware(affected)) is AdvisoryState.AFFECTED, affected
    for other in ("V5.1.9", "V5.2.0 build 140720", "V5.4.0 build 160531", "V5.7.1 build 210706"):
        assert state_of(known, with_firmware(other)) is None, other
    before = list_of(affected=[{"before": "9.80.2"}])
    assert [state_of(before, with_firmware(each)) for each in ("9.80.1", "9.80.2", "9.80")] == [
        AdvisoryState.AFFECTED,
        None,
        AdvisoryState.UNKNOWN,
    ]


@pytest.mark.parametrize("firmware", ["", "spring edition", "V5.4.0", "5.4 (build of may)"])
def test_what_cannot_be_compared_is_unknown_and_never_safe(firmware: str) -> None:
    known = list_of(affected=[{"first": "V5.2.0 build 140721", "last": "V5.4.0 build 160530"}])
    assert state_of(known, with_firmware(firmware)) is AdvisoryState.UNKNOWN


@given(st.text(max_size=40))
def test_no_firmware_is_taken_for_safe_that_is_not_above_or_below(firmware: str) -> None:
    known = list_of(affected=[{"first": "1", "last": "3"}])
    state = state_of(known, with_firmware(firmware))
    if state is None:
        match = re.match(r"[Vv]?(\d+)", firmware.strip())
        assert match is not None
        assert int(match[1]) < 1 or int(match[1]) >= 3


def test_an_advisory_without_ranges_is_unknown_and_one_of_another_model_or_vendor_is_none() -> None:
    assert state_of(list_of(), CAMERA) is AdvisoryState.UNKNOWN
    assert state_of(list_of(models=["DS-2CD2??2F-I*"]), CAMERA) is AdvisoryState.UNKNOWN
    assert state_of(list_of(models=["DS-2DF*"]), CAMERA) is None
    assert state_of(list_of(models=["DS-2DF*"]), KnownDevice(("Hikvision",), "", "V1")) is AdvisoryState.UNKNOWN
    assert state_of(list_of(vendor="axis*"), CAMERA) is None
    assert state_of(list_of(), KnownDevice(("", "  "), "", "")) is None
    assert state_of(list_of(), KnownDevice(("City Cams", "Hikvision"), "CC-1", "V1")) is AdvisoryState.UNKNOWN, "its maker, by its origin"


def test_of_one_id_the_gravest_is_told_once() -> None:
    one = {"id": "CVE-1", "vendor": "*", "title": "x"}
    document = {"name": "n", "published": "2026-11-28", "advisories": [one, one | {"affected": [{"last": "V9"}]}, one]}
    (found,) = advisories_for(read_list(json.dumps(document)), CAMERA)
    assert found.state is AdvisoryState.AFFECTED


def test_the_list_that_comes_with_it_says_what_is_sure_and_no_more() -> None:
    known = read_list(SHIPPED.read_bytes())
    assert "far from all" in known.name
    found = {each.advisory.id: each.state for each in advisories_for(known, CAMERA)}
    assert found == {"CVE-2021-36260": AdvisoryState.UNKNOWN, "CVE-2017-7921": AdvisoryState.AFFECTED}
    assert {ban.list for ban in bans_for(known, CAMERA)} == {"NDAA section 889"}
    axis = KnownDevice(("AXIS",), "P1378", "9.80.2")
    assert {each.state for each in advisories_for(known, axis)} == {AdvisoryState.UNKNOWN}
    assert bans_for(known, axis) == ()
    assert bans_for(known, KnownDevice(("ZTE Corporation",), "", ""))
    assert not bans_for(known, KnownDevice(("Blitzte",), "", ""))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vendor": "x" * 101}, "vendor"),
        ({"vendor": ""}, "vendor"),
        ({"severity": "awful"}, "severity"),
        ({"affected": [{"last": "spring"}]}, "this is no version that could be compared"),
        ({"affected": [{"first": "1"}]}, "give one of last and before"),
        ({"affected": [{"last": "1", "before": "2"}]}, "give one of last and before"),
        ({"url": "javascript:alert(1)"}, "begins with https"),
        ({"title": "a\x00b"}, "cannot be printed"),
        ({"colour": "red"}, "colour"),
        ({"id": None}, "id"),
    ],
)
def test_a_broken_list_is_refused_with_the_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as told:
        list_of(**change)
    assert words in told.value.problem
    assert "advisories" in told.value.problem


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[" * 100_000, b"\xff", b'{"name": "x"}', b'{"name": NaN}'])
def test_what_is_no_list_is_told(content: bytes) -> None:
    with pytest.raises(ConfigError):
        read_list(content)


patterns = st.text("ab*?", max_size=12)


@given(patterns, st.text("ab", max_size=12))
def test_patterns_mean_what_they_say(pattern: str, text: str) -> None:
    as_regex = "".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern)
    assert matches(pattern, text) == (re.fullmatch(as_regex, text) is not None)


def test_case_does_not_matter_and_no_pattern_takes_long() -> None:
    assert matches("*HIKvision*", "Hangzhou hikVISION Digital")
    assert not matches("*[a-z]*", "a")
    began = time.perf_counter()
    for pattern in ("*a" * 50, "*" * 100, "a*" * 49 + "b", "?*" * 50):
        matches(pattern, "a" * 100_000)
    assert time.perf_counter() - began < 0.5


def test_the_schema_knows_every_part() -> None:
    schema = list_schema()
    assert {"FirmwareAdvisory", "FirmwareRange", "ProcurementBan"} <= set(schema["$defs"])
    assert schema["additionalProperties"] is False
