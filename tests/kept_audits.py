"""Audits for tests of the device book, and of what reads it."""

from __future__ import annotations

from lamppost.model.devices import Ability, Armament, Audit, DeviceIdentity, Evidence, Finding, Level, Outcome

S = 1_000_000
HIKVISION = DeviceIdentity("Hikvision", "DS-2CD2386G2", "V5.5.0 build 170725", "DS-1", "00:11:22:33:44:55")


def audit_of(number: int, *, camera: str = "plaza", recognise: Level = Level.NO) -> Audit:
    reply = Evidence("GET /x", number * S, Outcome.ANSWERED, 200, "ab", 3, b"yes", "text/plain")
    finding = Finding(Ability.RECOGNISE, recognise, "it says so", 0)
    return Audit(
        f"a{number:06}" if camera == "plaza" else f"{camera}{number}",
        camera,
        number * S,
        HIKVISION,
        Level.NO,
        Level.NO,
        recognise,
        Armament(),
        (finding,),
        (reply,),
        ("onvif",),
    )
