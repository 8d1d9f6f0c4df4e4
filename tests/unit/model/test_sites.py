"""Each site is a scope of its own: what somebody may see of one says nothing of another."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lamppost.model.settings import Settings
from lamppost.model.sites import site_id, sites_of

CUSTODIANS = ["age1" + letter * 58 for letter in "qpz"]


def settings(*sites: str, own: str = "Old Town") -> Settings:
    cameras = [{"name": f"c{number}", "url": "sim://plaza?seed=1", "site": site} for number, site in enumerate(sites)]
    wanted: dict[str, Any] = {"data": str(Path("data")), "site": own, "sealing": {"custodians": CUSTODIANS, "threshold": 2}}
    return Settings.model_validate(wanted | {"camera": cameras})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Old Town", "old-town"),
        ("Platz 1", "platz-1"),
        ("Café Süd", "cafe-sud"),
        ("Straße", "strasse"),
        ("Центр", "центр"),
        ("東京", "東京"),
        ("दिल्ली", "दिल्ली"),
        ("", "site"),
    ],
)
def test_an_id_keeps_the_letters_of_every_script(name: str, expected: str) -> None:
    assert site_id(name) == expected


@given(st.text(st.characters(max_codepoint=127), max_size=100))
def test_ids_of_ascii_names_stay_what_they_were(name: str) -> None:
    assert site_id(name) == (re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "site")


@given(st.text(max_size=30))
def test_an_id_is_the_id_of_itself(name: str) -> None:
    assert site_id(site_id(name)) == site_id(name)


def test_sites_of_different_scripts_are_different_scopes() -> None:
    assert len(set(sites_of(settings("Центр", "Север", "東京", "")).values())) == 4


@pytest.mark.parametrize(("one", "two"), [("Platz 1", "Platz-1"), ("Old Town", "old town"), ("!!", "?"), ("Site", "--"), ("Süd", "Sud")])
def test_two_sites_with_one_id_are_refused(one: str, two: str) -> None:
    with pytest.raises(ValidationError, match=f"both site:{site_id(one)} in grants"):
        settings(one, two)
    with pytest.raises(ValidationError, match="in grants"):
        settings(one, "", own=two)
    assert len(settings(one, one).camera) == 2, "one site may have several cameras"
