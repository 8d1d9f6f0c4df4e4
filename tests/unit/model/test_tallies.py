"""A tally comes back from its line of a journal as it went in, and nothing else passes for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import bins_from_json, bins_to_json, tally_from_json, tally_to_json

amounts = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000)
tallies = st.builds(
    Tally,
    st.sampled_from(Measure),
    st.none() | st.sampled_from(CountedKind),
    st.integers(0, 10**9),
    st.none() | amounts,
    st.none() | amounts,
    st.none() | st.lists(amounts, max_size=20).map(tuple),
)


@given(tallies)
def test_a_tally_survives_its_line(tally: Tally) -> None:
    line = tally_to_json(tally)
    assert "\n" not in line
    assert tally_from_json(line) == tally
    assert bins_from_json(bins_to_json(tally.bins)) == tally.bins


def test_there_is_room_for_nothing_but_counts() -> None:
    tally = Tally(Measure.DWELL, CountedKind.PERSON, 2, 30.0, 20.0, (1.0, 1.0))
    assert set(json.loads(tally_to_json(tally))) == {"measure", "kind", "count", "total", "most", "bins"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"measure":"forward"}',
        '{"measure":"forward","count":1,"who":7}',
        '{"measure":"sideways","count":1}',
        '{"measure":["forward"],"count":1}',
        '{"measure":"forward","count":-1}',
        '{"measure":"forward","count":true}',
        '{"measure":"forward","count":1.0}',
        '{"measure":"forward","count":9223372036854775808}',
        '{"measure":"forward","count":1,"kind":"cyclops"}',
        '{"measure":"forward","count":1,"kind":[]}',
        '{"measure":"dwell","count":1,"total":"30"}',
        '{"measure":"dwell","count":1,"total":NaN}',
        '{"measure":"dwell","count":1,"most":Infinity}',
        '{"measure":"dwell","count":1,"total":' + "9" * 400 + "}",
        '{"measure":"dwell","count":1,"bins":7}',
        '{"measure":"dwell","count":1,"bins":[null]}',
        '{"measure":"presence","count":1,"bins":[' + "0," * 128 * 128 + "0]}",
        "[" * 100_000,
    ],
)
def test_what_is_no_tally_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        tally_from_json(text)
