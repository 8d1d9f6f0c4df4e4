"""Reads the bit strings of parameter sets: fixed numbers and Exp-Golomb codes."""

from __future__ import annotations

# The longest Exp-Golomb prefix that the standards allow; more is damage.
_MOST_LEADING_ZEROS = 32


class OutOfBits(ValueError):
    """The bit string ended too early, or a code in it is too long."""


def without_emulation(payload: bytes) -> bytes:
    """`payload` without emulation prevention bytes (H.264 and H.265, 7.3.1.1)."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


class BitReader:
    """A cursor over bits, most significant first."""

    def __init__(self, content: bytes) -> None:
        self._value = int.from_bytes(content, "big")
        self._left = len(content) * 8

    def u(self, bits: int) -> int:
        """An unsigned number of `bits` bits; raises `OutOfBits`."""
        if bits > self._left:
            raise OutOfBits
        self._left -= bits
        return self._value >> self._left & ((1 << bits) - 1)

    def flag(self) -> bool:
        return self.u(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb code (H.264 9.1)."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > _MOST_LEADING_ZEROS:
                raise OutOfBits
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb code (H.264 9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)
