"""How often an audit denies what a device may be able to do, over every kind of device, question and fault: the goal is never.

Run it with `python -m benchmarks.audit_levels`.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from lamppost.base.clock import ManualClock
from lamppost.cameras.audit import audit_device
from lamppost.cameras.dialects.known import DIALECTS
from lamppost.cameras.dialects.replies import FAULTS, PlayedDevice, Variant
from lamppost.model.devices import Ability, DeviceIdentity, Level

EVERY: Final = "*"


def count(vendor: str) -> Counter[str]:
    """What was said of each ability: without a fault, and with each fault in each single question and in all of them."""
    found: Counter[str] = Counter()
    for variant in Variant.all(vendor):
        found["kinds of device"] += 1
        for question in ("", EVERY, *variant.replies):
            for fault in FAULTS.values() if question else ("",):
                web = PlayedDevice(variant, {question: fault} if callable(fault) else {})
                audit = audit_device("camera", web, ManualClock(), identity=DeviceIdentity(vendor=vendor))
                found["audits"] += 1
                for ability in Ability:
                    level = audit.level(ability)
                    found[level.value] += 1
                    found["false no"] += level is Level.NO and ability in variant.able
    return found


def main() -> None:
    """Print a row for each vendor."""
    print(f"faults: {len(FAULTS)}")
    print("vendor      kinds  audits  yes     no      unknown  false no")
    for dialect in DIALECTS:
        found = count(dialect.name)
        words = (found["kinds of device"], found["audits"], found["yes"], found["no"], found["unknown"], found["false no"])
        print(f"{dialect.name:<11} {words[0]:<6} {words[1]:<7} {words[2]:<7} {words[3]:<7} {words[4]:<8} {words[5]}")


if __name__ == "__main__":
    main()
