"""Keeps a stream's parameter sets, so that every keyframe can be decoded by itself."""

from __future__ import annotations

from collections.abc import Iterable

from lamppost.ingest.bits import BitReader, OutOfBits, without_emulation
from lamppost.ingest.nal import START_CODE, nal_type
from lamppost.ingest.sps import SequenceFacts, parse_sps
from lamppost.model.media import Codec, StreamParameters

_SPS = {Codec.H264: 7, Codec.HEVC: 33}
_PPS = {Codec.H264: 8, Codec.HEVC: 34}
_VPS_HEVC = 32
# H.264 allows 32 SPS and 256 PPS; a camera uses one or two. What is more is damage.
_MOST_SETS = 64


class ParameterSets:
    """The parameter sets in force, by type and id; a later one replaces an earlier."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._sets: dict[tuple[int, int], bytes] = {}

    def update(self, units: Iterable[bytes]) -> None:
        """Take in NAL units without start codes; unreadable ones are passed over."""
        for unit in units:
            key = self._key(unit)
            if key is not None and (key in self._sets or len(self._sets) < _MOST_SETS):
                self._sets[key] = unit

    def _key(self, unit: bytes) -> tuple[int, int] | None:
        type_code = nal_type(self._codec, unit)
        try:
            if type_code == _SPS[self._codec]:
                return type_code, parse_sps(self._codec, unit).set_id
            header = 1 if self._codec is Codec.H264 else 2
            bits = BitReader(without_emulation(unit[header:]))
            if type_code == _PPS[self._codec]:
                return type_code, bits.ue()
            return type_code, bits.u(4)
        except (OutOfBits, ValueError):
            return None

    def is_complete(self) -> bool:
        """True once a decoder could start: an SPS and a PPS (and a VPS) are there."""
        return self.covers(self._sets.values())

    def covers(self, units: Iterable[bytes]) -> bool:
        """True when `units` hold one of every kind of parameter set."""
        needed = {_SPS[self._codec], _PPS[self._codec]} | ({_VPS_HEVC} if self._codec is Codec.HEVC else set[int]())
        return needed <= {nal_type(self._codec, unit) for unit in units}

    def annex_b(self) -> bytes:
        """All sets with four-byte start codes: VPS, SPS, PPS, each by id."""
        return b"".join(START_CODE + self._sets[key] for key in sorted(self._sets))

    def facts(self, picture_set_id: int | None = None) -> SequenceFacts:
        """What the SPS says that the PPS `picture_set_id` names; else the one with the lowest id.

        Raises `ValueError` when there is none.
        """
        wanted = self._sets.get((_SPS[self._codec], self._sequence_of(picture_set_id)))
        if wanted is not None:
            return parse_sps(self._codec, wanted)
        for key in sorted(self._sets):
            if key[0] == _SPS[self._codec]:
                return parse_sps(self._codec, self._sets[key])
        raise ValueError("no sequence parameter set")

    def _sequence_of(self, picture_set_id: int | None) -> int:
        unit = self._sets.get((_PPS[self._codec], -1 if picture_set_id is None else picture_set_id))
        if unit is None:
            return -1
        bits = BitReader(without_emulation(unit[1 if self._codec is Codec.H264 else 2 :]))
        try:
            bits.ue()
            return bits.ue()
        except OutOfBits:
            return -1

    def parameters(self, picture_set_id: int | None = None, nominal_interval_90k: int = 0) -> StreamParameters:
        """The parameters of a run that starts now; the SPS's frame rate comes first.

        Raises `ValueError` when there is no SPS.
        """
        facts = self.facts(picture_set_id)
        return StreamParameters(
            codec=self._codec,
            parameter_sets=self.annex_b(),
            width_px=facts.width_px,
            height_px=facts.height_px,
            frame_interval_90k=facts.frame_interval_90k or nominal_interval_90k,
        )
