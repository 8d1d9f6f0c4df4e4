"""A picture's number, burnt into its top left corner, to prove that no picture is missing.

The strip is one row of 8x8 pixel blocks, black (16) or white (235) in luma and
without colour: two sync blocks (white, black), 24 bits of the number, most
significant first, and 8 check bits, the number's three bytes added up, plus
165, modulo 256. Blocks are aligned to the codec's transform, so that any usual
encoding leaves them readable.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lamppost.ingest.sprites import Picture

BLOCK_PX = 8
_NUMBER_BITS, _CHECK_BITS = 24, 8
_BLOCKS = 2 + _NUMBER_BITS + _CHECK_BITS
STRIP_WIDTH_PX = _BLOCKS * BLOCK_PX
_BLACK, _WHITE, _GREY_CHROMA = 16, 235, 128
_SURE = 45


def _check(number: int) -> int:
    return (sum(number.to_bytes(3, "big")) + 165) & 0xFF


def burn_frame_number(luma: Picture, chroma: Picture, number: int) -> None:
    """Write `number` modulo 2^24 into the planes (h, w) and (2, h/2, w/2), in place."""
    number %= 1 << _NUMBER_BITS
    code = 0b10 << (_NUMBER_BITS + _CHECK_BITS) | number << _CHECK_BITS | _check(number)
    bits = np.array([code >> shift & 1 for shift in range(_BLOCKS - 1, -1, -1)], np.uint8)
    luma[:BLOCK_PX, :STRIP_WIDTH_PX] = np.repeat(np.where(bits, _WHITE, _BLACK).astype(np.uint8), BLOCK_PX)
    chroma[:, : BLOCK_PX // 2, : STRIP_WIDTH_PX // 2] = _GREY_CHROMA


def read_frame_number(luma: NDArray[np.uint8]) -> int | None:
    """The number in the strip of a picture's luma (h, w); None when there is none to be sure of."""
    if luma.shape[0] < BLOCK_PX or luma.shape[1] < STRIP_WIDTH_PX:
        return None
    blocks = luma[2:6, :STRIP_WIDTH_PX].reshape(4, _BLOCKS, BLOCK_PX)[:, :, 2:6]
    means = blocks.mean(axis=(0, 2))
    if np.abs(means - 128).min() < _SURE:
        return None
    code = 0
    for is_white in means > 128:
        code = code << 1 | int(is_white)
    number = code >> _CHECK_BITS & ((1 << _NUMBER_BITS) - 1)
    if code >> (_NUMBER_BITS + _CHECK_BITS) != 0b10 or code & 0xFF != _check(number):
        return None
    return number
