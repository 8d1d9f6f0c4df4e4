"""A device is known by its number: what it calls its maker may read otherwise after an update."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.devices import DeviceIdentity

KNOWN = DeviceIdentity("HIKVISION", "DS-2CD", "V5.5.0", "0420200101AAWR123456789", "3c:ef:8c:00:00:01")

numbers = st.sampled_from(["", "1", "2"])
identities = st.builds(DeviceIdentity, vendor=st.sampled_from(["", "Acme", "ACME", "Acme Inc."]), serial=numbers, mac=numbers)


def test_a_maker_in_other_words_is_no_other_device() -> None:
    for vendor in ("Hikvision", "Hikvision Digital Technology", "", "Somebody who sells it under another name"):
        assert KNOWN.is_same_device(DeviceIdentity(vendor, serial=KNOWN.serial)), vendor
    assert not KNOWN.is_same_device(DeviceIdentity(KNOWN.vendor, KNOWN.model, KNOWN.firmware, serial="0420200101AAWR000000000"))


def test_a_number_that_another_maker_gives_its_devices_too_is_no_proof() -> None:
    cheap = DeviceIdentity("Acme", serial="123456789", mac="00:11:22:00:00:01")
    other = DeviceIdentity("Bolt", serial="123456789", mac="66:77:88:00:00:01")
    assert cheap.is_another(other)
    assert cheap.is_same_device(DeviceIdentity("Acme", serial="123456789", mac=other.mac)), "it has two network cards"
    assert cheap.is_same_device(DeviceIdentity("Bolt", serial="123456789", mac=cheap.mac)), "it is sold under two names"


def test_without_a_serial_number_of_both_the_mac_tells() -> None:
    assert KNOWN.is_same_device(DeviceIdentity(mac=KNOWN.mac))
    assert not KNOWN.is_same_device(DeviceIdentity(mac="3c:ef:8c:00:00:02"))
    assert not KNOWN.is_same_device(DeviceIdentity(KNOWN.vendor, KNOWN.model, KNOWN.firmware))


@given(identities, identities)
def test_two_are_the_same_or_others_or_nothing_is_known_to_compare(one: DeviceIdentity, other: DeviceIdentity) -> None:
    can_tell = bool((one.serial and other.serial) or (one.mac and other.mac))
    assert one.is_same_device(other) == other.is_same_device(one)
    assert one.is_another(other) == other.is_another(one)
    assert one.is_same_device(other) + one.is_another(other) == can_tell
