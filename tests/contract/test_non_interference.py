"""Promise: with the same masks, pixels under them do not affect one byte of output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lamppost.mask.clips import ClipWriter
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Covers, Palette, align, paint
from lamppost.model.i420 import planes_of
from lamppost.model.media import Packet
from lamppost.model.vision import Box, CoverCause, Fill, Frame, Mask, MaskedFrame
from lamppost.record.fmp4 import Sample, length_prefixed, make_chunk, make_init

Picture = np.ndarray
# What is to be shown of a frame: its masks, or None where it is covered whole.
Plan = tuple[tuple[Mask, ...] | None, ...]
Painter = Callable[[Frame, tuple[Mask, ...]], MaskedFrame]

_LIMITED, _FULL = (16, 236), (0, 256)


@dataclass(frozen=True)
class Case:
    """One run: its size, how it is encoded, what is masked when, and the seed of its pixels."""

    width_px: int
    height_px: int
    plan: Plan
    step_90k: int
    seed: int
    is_live: bool
    is_full_range: bool
    threads: int

    def street(self) -> list[Picture]:
        """Pictures with a texture that moves, and grain on it: nothing in them is cheap to encode, and all of it matters."""
        dice = np.random.default_rng(self.seed)
        shape = (self.height_px * 3 // 2, self.width_px)
        texture = dice.integers(*self._range, shape, np.uint8)
        moves = [np.roll(texture, index * (self.seed % 5 - 2), axis=1) for index in range(len(self.plan))]
        return [np.where(dice.random(shape) < 0.05, dice.integers(*self._range, shape, np.uint8), move) for move in moves]

    def crowded(self) -> list[Picture]:
        """The same pictures, with others under the masks: noise, black, white, or what was there, upside down."""
        dice = np.random.default_rng(self.seed + 1)
        pictures = []
        for below, masks in zip(self.street(), self.plan, strict=True):
            manner = dice.integers(4)
            flat = np.full_like(below, self._range[0] if manner == 1 else self._range[1] - 1)
            other = dice.integers(*self._range, below.shape, np.uint8) if manner == 0 else below[::-1].copy() if manner == 3 else flat
            pictures.append(other if masks is None else under(below, other, masks))
        return pictures

    @property
    def _range(self) -> tuple[int, int]:
        return _FULL if self.is_full_range else _LIMITED


def under(below: Picture, people: Picture, masks: tuple[Mask, ...]) -> Picture:
    """`below`, with the pixels under the masks taken from `people`."""
    mixed = below.copy()
    for mask in masks:
        for plane, other, half in zip(planes_of(mixed), planes_of(people), (1, 2, 2), strict=True):
            place = slice(mask.y0 // half, mask.y1 // half), slice(mask.x0 // half, mask.x1 // half)
            plane[place] = other[place]
    return mixed


def paint_rightly(frame: Frame, masks: tuple[Mask, ...]) -> MaskedFrame:
    return paint(frame, masks, Palette())


def masked(case: Case, pictures: list[Picture], painter: Painter) -> list[MaskedFrame]:
    frames = []
    for index, (picture, masks) in enumerate(zip(pictures, case.plan, strict=True)):
        frame = Frame(picture.copy(), index * case.step_90k, index, case.is_full_range)
        frames.append(Covers(Palette()).cover(frame, CoverCause.DETECTOR_STALLED) if masks is None else painter(frame, masks))
    return frames


def encode(case: Case, frames: list[MaskedFrame]) -> tuple[list[Packet], MaskedEncoder]:
    encoder = MaskedEncoder(
        case.width_px,
        case.height_px,
        frame_interval_90k=case.step_90k,
        is_full_range=case.is_full_range,
        threads=case.threads,
        is_live=case.is_live,
    )
    packets = [packet for frame in frames for packet in encoder.encode(frame)]
    return [*packets, *encoder.flush()], encoder


def stored(packets: list[Packet], encoder: MaskedEncoder) -> bytes:
    """The packets as they are stored and sent: fragmented MP4, one picture in a chunk."""
    chunks = [make_init(encoder.parameters, packets[0])]
    for number, packet in enumerate(packets):
        sample = Sample(length_prefixed(packet.data), packet.duration_90k, packet.pts_90k - packet.dts_90k, packet.is_keyframe)
        chunks.append(make_chunk(number + 1, packet.dts_90k, [sample]))
    return b"".join(chunks)


def outputs(case: Case, painter: Painter = paint_rightly) -> tuple[tuple[list[Packet], bytes], tuple[list[Packet], bytes]]:
    """Packets and stored bytes of the street, and of the crowded street."""
    results = []
    for pictures in (case.street(), case.crowded()):
        packets, encoder = encode(case, masked(case, pictures, painter))
        results.append((packets, stored(packets, encoder)))
    return results[0], results[1]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Small pictures and short runs; masks appear, move, overlap, reach over edges and vanish; some frames are covered."""
    width_px, height_px = draw(st.integers(8, 50)) * 2, draw(st.integers(8, 40)) * 2
    frames = draw(st.integers(2, 7))
    planned: list[list[Mask]] = [[] for _ in range(frames)]
    for _ in range(draw(st.integers(1, 3))):
        x, y, w, h = (draw(st.integers(*limits)) for limits in ((-20, width_px), (-20, height_px), (1, 70), (1, 70)))
        dx, dy = draw(st.integers(-9, 9)), draw(st.integers(-9, 9))
        fill = draw(st.sampled_from(list(Fill)))
        first, last = sorted((draw(st.integers(0, frames - 1)), draw(st.integers(0, frames - 1))))
        for index in range(first, last + 1):
            mask = align(Box(x + dx * index, y + dy * index, x + dx * index + w, y + dy * index + h), fill, width_px, height_px)
            planned[index] += [mask] if mask is not None else []
    covered = draw(st.sets(st.integers(0, frames - 1), max_size=2)) if draw(st.booleans()) else set[int]()
    return Case(
        width_px,
        height_px,
        tuple(None if index in covered else tuple(masks) for index, masks in enumerate(planned)),
        step_90k=draw(st.sampled_from([3600, 9000, 40_000])),  # the last brings a keyframe every other frame
        seed=draw(st.integers(0, 2**31)),
        is_live=draw(st.booleans()),
        is_full_range=draw(st.booleans()),
        threads=draw(st.sampled_from([1, 2])),
    )


def check(case: Case) -> None:
    street, crowded = outputs(case)
    assert street == crowded


@settings(max_examples=200)
@given(cases())
def test_pixels_under_masks_do_not_affect_one_byte(case: Case) -> None:
    check(case)


@pytest.mark.long
@settings(max_examples=10_000, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_pixels_under_masks_do_not_affect_one_byte_ten_thousand_times(case: Case) -> None:
    check(case)


def large_case(*, is_live: bool, threads: int) -> Case:
    """Several keyframes and all that x264 does to pictures of a usual size, not a multiple of 16 in either direction."""
    plan: list[tuple[Mask, ...] | None] = []
    for index in range(40):
        box = align(Box(20 + 5 * index, 30 + index, 75 + 5 * index, 210), Fill.PERSON, 322, 242)
        edge = align(Box(290, 200, 330, 250), Fill.VEHICLE, 322, 242)
        plan.append(None if index in (7, 8, 30) else tuple(mask for mask in (box, edge) if mask is not None))
    return Case(322, 242, tuple(plan), 3600, 5, is_live=is_live, is_full_range=False, threads=threads)


@pytest.mark.parametrize("is_live", [False, True])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_longer_run_of_a_usual_size(is_live: bool, threads: int) -> None:
    check(large_case(is_live=is_live, threads=threads))


def test_a_masked_clip_as_a_file(tmp_path: Path) -> None:
    case = large_case(is_live=False, threads=2)
    files = []
    for name, pictures in (("street", case.street()), ("crowded", case.crowded())):
        packets, encoder = encode(case, masked(case, pictures, paint_rightly))
        with ClipWriter(tmp_path / f"{name}.mp4", encoder.parameters) as writer:
            for packet in packets:
                writer.write(packet)
        files.append((tmp_path / f"{name}.mp4").read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize("is_live", [False, True])
def test_a_covered_frame_tells_nothing_of_its_source(is_live: bool) -> None:
    case = Case(150, 102, (None,) * 30, 3600, 1, is_live=is_live, is_full_range=False, threads=1)
    street, crowded = outputs(case)
    assert street == crowded
    assert len(street[0]) == 30


# Painters that would break the promise; each must be found out by the very comparison above.


def paint_unaligned(frame: Frame, masks: tuple[Mask, ...]) -> MaskedFrame:
    """Ends masks three pixels too early."""
    return paint(frame, tuple(replace(mask, x1=max(mask.x0 + 1, mask.x1 - 3)) for mask in masks), Palette())


def paint_translucently(frame: Frame, masks: tuple[Mask, ...]) -> MaskedFrame:
    """Lets a quarter of what is under the masks through."""
    before = frame.i420.copy()
    painted = paint(frame, masks, Palette())
    blended = (painted.i420 * np.uint16(3) + before) // 4
    return replace(painted, i420=np.where(painted.i420 == before, before, blended.astype(np.uint8)))


def paint_in_grey(frame: Frame, masks: tuple[Mask, ...]) -> MaskedFrame:
    """Leaves the colours as they were."""
    before = frame.i420.copy()
    painted = paint(frame, masks, Palette())
    mixed = np.concatenate([painted.i420[: frame.height_px], before[frame.height_px :]])
    return replace(painted, i420=mixed)


def paint_with_the_average(frame: Frame, masks: tuple[Mask, ...]) -> MaskedFrame:
    """Fills each mask with the mean of what it hides, as a mosaic does."""
    before = frame.i420[: frame.height_px].copy()
    painted = paint(frame, masks, Palette())
    luma = painted.i420.copy()
    for mask in painted.masks:
        place = slice(mask.y0, mask.y1), slice(mask.x0, mask.x1)
        luma[place] = round(float(before[place].mean()))
    return replace(painted, i420=luma)


@pytest.mark.parametrize("painter", [paint_unaligned, paint_translucently, paint_in_grey, paint_with_the_average])
def test_a_painter_that_lets_something_through_is_found_out(painter: Painter) -> None:
    def is_found_out(case: Case) -> bool:
        street, crowded = outputs(case, painter)
        return street != crowded

    found = hypothesis.find(cases(), is_found_out, settings=settings(max_examples=200, phases=[Phase.generate], database=None))
    check(found)  # and the right painter stands the same case


def test_other_pixels_beside_the_masks_do_change_the_output() -> None:
    case = large_case(is_live=True, threads=1)
    smaller = replace(case, plan=tuple(masks and (masks[0],) for masks in case.plan))
    packets = [encode(case, masked(smaller, pictures, paint_rightly))[0] for pictures in (case.street(), case.crowded())]
    assert packets[0] != packets[1]
