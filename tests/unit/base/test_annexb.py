from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.annexb import nal_units

# A NAL unit never holds 00 00 00..02 (emulation prevention) and never ends in zero.
UNITS = st.lists(st.binary(max_size=40).map(lambda body: b"\x65" + body.replace(b"\x00", b"\x07") + b"\x80"), max_size=6)


@given(UNITS, st.lists(st.sampled_from([b"\x00\x00\x01", b"\x00\x00\x00\x01"]), min_size=6, max_size=6))
def test_every_unit_comes_back(units: list[bytes], codes: list[bytes]) -> None:
    stream = b"".join(code + unit for code, unit in zip(codes, units, strict=False))
    assert list(nal_units(stream)) == units


def test_no_start_code_no_unit() -> None:
    assert list(nal_units(b"")) == []
    assert list(nal_units(b"\x65\x00\x01\x02")) == []
    assert list(nal_units(b"\x00\x00\x01\x00\x00\x01\x65")) == [b"\x65"]
