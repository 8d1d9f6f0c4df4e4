"""Turns access units into runs: gapless packets of one timeline, with every hole declared.

A run starts at a keyframe with pts 0. It ends, and the next one starts at the
next keyframe, when parameter sets change, time jumps, or the wall clock steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lamppost.base.clock import US_PER_S, us_from_90k
from lamppost.base.errors import UnsupportedStream
from lamppost.ingest.nal import Picture, inspect, split_annex_b, with_parameter_sets
from lamppost.ingest.parameters import ParameterSets
from lamppost.ingest.timestamps import DEFAULT_INTERVAL_90K, Break, Placed, Timeline
from lamppost.ingest.units import AccessUnit
from lamppost.ingest.walltime import MOST_DRIFT_US, WallMap
from lamppost.model.media import Codec, Gap, GapCause, Packet, RunStarted, SessionItem, StreamParameters

# A wall clock that moves by more than this against the monotonic one has stepped.
MOST_STEP_US = US_PER_S
# So much of what builds on damaged pictures is told at a time: a keyframe may be far, and a crash near.
SPOILT_STEP_US = US_PER_S
# Smart codecs send a keyframe every 10 to 20 s; after this long there is none to come.
LONGEST_WAIT_S = 60.0


@dataclass(slots=True)
class _OpenRun:
    parameters: StreamParameters
    wall: WallMap
    end_us: int


@dataclass(slots=True)
class _Spoilt:
    """Pictures that build on a lost or damaged one: told up to `until_us`, going on to the next keyframe."""

    until_us: int
    cause: GapCause


class RunBuilder:
    """Makes session items of one stream's access units, one after the other.

    A picture that is lost or damaged spoils those that build on it: the gap goes
    on to the next whole keyframe, while all that came is recorded. What comes
    before the first keyframe is dropped; it lies in the gap that the caller
    declares for the start. `parameter_sets` are those told out of band (Annex B),
    which in-band ones replace. `follows_arrival` is false for sources that are not
    paced by a clock.
    """

    def __init__(self, codec: Codec, *, parameter_sets: bytes = b"", nominal_interval_90k: int = 0, follows_arrival: bool = True) -> None:
        self._codec = codec
        self._nominal = nominal_interval_90k
        self._follows_arrival = follows_arrival
        self._sets = ParameterSets(codec)
        self._sets.update(split_annex_b(parameter_sets))
        self._timeline = Timeline(nominal_interval_90k=nominal_interval_90k)
        self._run: _OpenRun | None = None
        # Why no packet may be added to the run, and why the next keyframe ends it.
        self._broken: Break | None = None
        self._restart: str = ""
        self._clock_offset_us: int | None = None
        self._waiting_since_s: float | None = None
        self._prefix = b""
        self._lost_packets = 0
        self._spoilt: _Spoilt | None = None

    def learn_reordering(self, depth: int) -> None:
        """Take the reorder depth that was seen; it holds where the stream announces none."""
        self._timeline.learn(depth)

    def push(self, unit: AccessUnit) -> Sequence[SessionItem]:
        """What `unit` makes: a new run, a gap, a packet, or nothing.

        Raises `TimestampError` when time stands still, `UnsupportedStream` when
        no keyframe comes for 60 s.
        """
        self._watch_clock(unit)
        picture = inspect(self._codec, unit.data, unit.borders)
        if picture.parameter_sets:
            self._sets.update(picture.parameter_sets)
        if not picture.has_slices:
            # Parameter sets or messages alone: they belong to the picture that follows.
            self._prefix = (self._prefix + unit.data)[-65_536:]
            self._lost_packets += unit.lost_packets
            return ()
        if self._prefix or self._lost_packets:
            unit = self._with_prefix(unit)
        if unit.is_first and self._run is not None:
            self._restart = "the file starts again"
        if picture.is_keyframe and self._sets.is_complete():
            has_run = self._run is not None and self._broken is None
            if has_run or not unit.is_corrupt:
                return self._take_keyframe(unit, picture)
        if self._run is None or self._broken is not None:
            self._wait(unit)
            return ()
        return self._continue_run(self._run, unit, None)

    def finish(self) -> Sequence[SessionItem]:
        """What is to be told at the end of the stream."""
        return () if self._run is None else self._tell_spoilt(self._run.end_us)

    def _with_prefix(self, unit: AccessUnit) -> AccessUnit:
        data, self._prefix = self._prefix + unit.data, b""
        lost, self._lost_packets = self._lost_packets + unit.lost_packets, 0
        borders = unit.borders if len(data) == len(unit.data) else ()
        return replace(unit, data=data, borders=borders, lost_packets=lost)

    def _take_keyframe(self, unit: AccessUnit, picture: Picture) -> Sequence[SessionItem]:
        """A keyframe, which carries its parameter sets from now on, and may start a run."""
        own = ParameterSets(self._codec)
        own.update(picture.parameter_sets)
        if not own.is_complete():
            unit = replace(unit, data=with_parameter_sets(self._codec, unit.data, self._sets.annex_b()), borders=())
        parameters = self._parameters(picture)
        if self._run is None or self._needs_new_run(parameters):
            return self._start_run(unit, picture, parameters)
        return self._continue_run(self._run, unit, picture)

    def _parameters(self, picture: Picture) -> StreamParameters:
        # An SPS is kept only if it can be read, and a keyframe starts only with an SPS.
        return self._sets.parameters(picture.picture_set_id, self._nominal)

    def _needs_new_run(self, parameters: StreamParameters) -> bool:
        if self._run is None or self._broken is not None or self._restart:
            return True
        return self._run.parameters != parameters

    def _start_run(self, unit: AccessUnit, picture: Picture, parameters: StreamParameters) -> Sequence[SessionItem]:
        before, placed = self._run, None
        if before is not None and self._broken is None and not self._restart:
            # Only the parameter sets changed: time goes on through the seam.
            placed = self._timeline.place(unit.pts_90k, unit.dts_90k)
        depth = self._sets.facts(picture.picture_set_id).reorder_depth
        if depth and unit.pts_90k is None:
            raise UnsupportedStream(
                "the stream reorders pictures and tells no presentation times",
                remedy="give it in a container that carries times, such as MP4",
            )
        self._timeline.announce(depth, parameters.frame_interval_90k)
        rate = before.wall.rate if before is not None else 0.0
        if before is not None and isinstance(placed, Placed):
            wall_us = before.wall.advance(placed.pts_90k, unit.arrival_us)
            gap = None if placed.hole_90k is None else _hole_gap(before.wall, placed.hole_90k, unit.lost_packets)
        else:
            wall_us, gap = self._anchor(before, unit)
        spoilt = self.finish()
        self._spoilt = None
        start = self._timeline.start(unit.pts_90k, unit.dts_90k, is_open=picture.is_open)
        wall = WallMap(0, wall_us, follows_arrival=self._follows_arrival, rate=rate)
        self._run = _OpenRun(parameters, wall, wall_us)
        self._broken, self._restart, self._waiting_since_s = None, "", None
        started = [RunStarted(parameters), *self._emit(self._run, unit, start, is_keyframe=True)]
        return [*spoilt, *started] if gap is None else [*spoilt, gap, *started]

    def _anchor(self, before: _OpenRun | None, unit: AccessUnit) -> tuple[int, Gap | None]:
        """UTC of a new timeline's start, and the gap before it."""
        if before is None:
            return unit.arrival_us, None
        has_stepped = bool(self._restart) and self._broken is None and not unit.is_first
        # A clock that was set back may repeat a time; nothing else may.
        wall_us = unit.arrival_us if has_stepped else max(unit.arrival_us, before.end_us)
        interval = self._timeline.typical_interval_90k or DEFAULT_INTERVAL_90K
        late_us = wall_us - before.end_us
        if late_us <= us_from_90k(interval) // 2:
            # Too little for a picture to be missing: it begins where the last run ended, and no moment is without an entry.
            return min(wall_us, before.end_us), None
        cause = GapCause.CLOCK_STEPPED if has_stepped else GapCause.TIMESTAMP_JUMP
        return wall_us, Gap(before.end_us, wall_us, cause, self._broken or self._restart)

    def _continue_run(self, run: _OpenRun, unit: AccessUnit, keyframe: Picture | None) -> Sequence[SessionItem]:
        placed = self._timeline.place(unit.pts_90k, unit.dts_90k)
        if not isinstance(placed, Placed):
            self._broken = placed
            if keyframe is not None:
                return self._start_run(unit, keyframe, self._parameters(keyframe))
            self._wait(unit)
            return ()
        items = self._emit(run, unit, placed, is_keyframe=keyframe is not None)
        if abs(run.wall.drift_us) > MOST_DRIFT_US and not self._restart:
            self._restart = f"the camera's clock ran off by {run.wall.drift_us / US_PER_S:.1f} s"
        return items

    def _emit(self, run: _OpenRun, unit: AccessUnit, placed: Placed, *, is_keyframe: bool) -> Sequence[SessionItem]:
        # While the wall clock is known to be off, the run keeps its own time.
        arrival_us = run.wall.at(placed.pts_90k) if self._restart else unit.arrival_us
        wall_us = run.wall.advance(placed.pts_90k, arrival_us)
        duration = unit.duration_90k or self._timeline.typical_interval_90k or DEFAULT_INTERVAL_90K
        end_us = wall_us + us_from_90k(duration)
        run.end_us = max(run.end_us, end_us)
        # What was lost leaves a hole in time, or nobody can say that this picture is whole.
        is_corrupt = unit.is_corrupt or (unit.lost_packets > 0 and placed.hole_90k is None)
        packet = Packet(unit.data, placed.pts_90k, placed.dts_90k, duration, wall_us, is_keyframe, is_corrupt, unit.borders)
        if placed.hole_90k is None and not is_corrupt and self._spoilt is None:
            return (packet,)
        items: list[SessionItem] = [] if placed.hole_90k is None else [_hole_gap(run.wall, placed.hole_90k, unit.lost_packets)]
        items += self._judge_damage(packet, unit.lost_packets, end_us)
        return [*items, packet]

    def _judge_damage(self, packet: Packet, lost_packets: int, end_us: int) -> Sequence[SessionItem]:
        """The gaps of what is damaged at `packet`, or builds on what is."""
        told: list[SessionItem] = []
        if self._spoilt is not None and (packet.is_keyframe or packet.wall_us - self._spoilt.until_us >= SPOILT_STEP_US):
            told += self._tell_spoilt(packet.wall_us)
        if packet.is_keyframe:
            self._spoilt = None
        is_spoilt = packet.is_corrupt or (lost_packets > 0 and not packet.is_keyframe)
        if is_spoilt and self._spoilt is None:
            until_us = packet.wall_us
            if packet.is_corrupt:
                until_us = end_us
                told.append(_damage_gap(packet.wall_us, end_us, lost_packets))
            self._spoilt = _Spoilt(until_us, GapCause.PACKETS_LOST if lost_packets else GapCause.DAMAGED)
        return told

    def _tell_spoilt(self, until_us: int) -> Sequence[SessionItem]:
        spoilt = self._spoilt
        if spoilt is None or until_us <= spoilt.until_us:
            return ()
        start_us, spoilt.until_us = spoilt.until_us, until_us
        return (Gap(start_us, until_us, spoilt.cause, "these pictures build on what was lost or damaged before them"),)

    def _watch_clock(self, unit: AccessUnit) -> None:
        offset_us = unit.arrival_us - round(unit.arrival_s * US_PER_S)
        before, self._clock_offset_us = self._clock_offset_us, offset_us
        if before is not None and abs(offset_us - before) > MOST_STEP_US:
            self._restart = f"the wall clock stepped by {(offset_us - before) / US_PER_S:+.3f} s"

    def _wait(self, unit: AccessUnit) -> None:
        if self._waiting_since_s is None:
            self._waiting_since_s = unit.arrival_s
        if unit.arrival_s - self._waiting_since_s > LONGEST_WAIT_S:
            raise UnsupportedStream(
                f"no keyframe came for {LONGEST_WAIT_S:.0f} s",
                remedy="set the camera's keyframe (I-frame) interval to 1 to 4 s and switch gradual intra refresh off",
            )


def _hole_gap(wall: WallMap, hole_90k: tuple[int, int], lost_packets: int) -> Gap:
    start_90k, end_90k = hole_90k
    detail = f"{(end_90k - start_90k) // 90} ms of pictures are missing"
    cause = GapCause.PACKETS_LOST if lost_packets else GapCause.TIMESTAMP_JUMP
    return Gap(wall.at(start_90k), wall.at(end_90k), cause, detail)


def _damage_gap(start_us: int, end_us: int, lost_packets: int) -> Gap:
    if lost_packets:
        return Gap(start_us, end_us, GapCause.PACKETS_LOST, "the network lost parts of this picture, or what came before it")
    return Gap(start_us, end_us, GapCause.DAMAGED, "the transport flagged this picture as damaged")
