// The parts of the players that can be wrong by themselves: boxes, the seam of a live stream, its pace, and what is fetched next.
import { describe, expect, it } from 'vitest';

import type { Media } from '../../src/api/types.ts';
import { boxes, ntpToMs, readFragments, timescaleOf } from '../../src/media/boxes.ts';
import { isSparse, MasterClock, nextSpeed } from '../../src/media/master.ts';
import { Pace } from '../../src/media/pace.ts';
import { MOST_AHEAD_BYTES, plan, sparseMs } from '../../src/media/plan.ts';
import { Reel, WINDOW_MS } from '../../src/media/reel.ts';
import { Seam } from '../../src/media/seam.ts';
import { Shown } from '../../src/media/shown.ts';

const NTP_EPOCH_S = 2_208_988_800;

function box(kind: string, ...content: Uint8Array[]): Uint8Array {
  const size = 8 + content.reduce((sum, each) => sum + each.length, 0);
  const bytes = new Uint8Array(size);
  new DataView(bytes.buffer).setUint32(0, size);
  bytes.set([...kind].map((letter) => letter.charCodeAt(0)), 4);
  let at = 8;
  for (const each of content) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

function words(...values: (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce<number>((sum, value) => sum + (typeof value === 'bigint' ? 8 : 4), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const value of values) {
    if (typeof value === 'bigint') view.setBigUint64(at, value);
    else if (value < 0) view.setInt32(at, value);
    else view.setUint32(at, value);
    at += typeof value === 'bigint' ? 8 : 4;
  }
  return bytes;
}

/** As `make_prft` and `make_chunk` of the recorder lay them out. */
function fragment(wallMs: number, mediaTicks: number, decodeTicks: number, samples: [number, boolean, number][]): ArrayBuffer {
  const seconds = Math.floor(wallMs / 1000) + NTP_EPOCH_S;
  const fraction = Math.floor(((wallMs % 1000) / 1000) * 2 ** 32);
  const prft = box('prft', words(0x0100_0018, 1, seconds >>> 0, fraction, BigInt(mediaTicks)));
  const entries = samples.map(([duration, isKeyframe, shift]) => words(duration, 3, isKeyframe ? 0x0200_0000 : 0x0101_0000, shift));
  const trun = box('trun', words(0x0100_0f01, samples.length, 0), ...entries);
  const traf = box('traf', box('tfhd', words(0x0002_0000, 1)), box('tfdt', words(0x0100_0000, BigInt(decodeTicks))), trun);
  const moof = box('moof', box('mfhd', words(0, 7)), traf);
  const parts = [prft, moof, box('mdat', new Uint8Array(3 * samples.length))];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

describe('boxes', () => {
  it('tells when a picture was taken, and where it stands', () => {
    const wallMs = Date.UTC(2026, 10, 28, 6, 42, 50) + 250;
    const [facts] = readFragments(fragment(wallMs, 9_000, 9_000, [[6_000, true, 0]]));
    expect(facts!.reference!.wallMs).toBeCloseTo(wallMs, 2);
    expect(facts!.reference!.mediaTicks).toBe(9_000);
    expect(facts!.samples).toEqual([{ decodeTicks: 9_000, presentTicks: 9_000, durationTicks: 6_000, isKeyframe: true }]);
  });

  it('adds durations up, and shifts decode times to presentation times', () => {
    const [facts] = readFragments(fragment(0, 0, 2 ** 33, [[6_000, true, 3_000], [5_000, false, -500]])); // prettier-ignore
    expect(facts!.samples.map((sample) => [sample.presentTicks - 2 ** 33, sample.isKeyframe])).toEqual([
      [3_000, true],
      [5_500, false],
    ]);
  });

  it('reads several fragments of one range, and no part of a cut one', () => {
    const [one, two] = [new Uint8Array(fragment(1, 0, 0, [[6_000, true, 0]])), new Uint8Array(fragment(2, 0, 6_000, [[6_000, true, 0]]))];
    const both = new Uint8Array([...one, ...two]);
    expect(readFragments(both.buffer).map((facts) => facts.decodeTicks)).toEqual([0, 6_000]);
    expect([...boxes(new DataView(both.buffer, 0, both.length - 1))]).toHaveLength(5);
  });

  it('counts on after the era of NTP ends in 2036', () => {
    expect(ntpToMs(NTP_EPOCH_S, 2 ** 31)).toBe(500);
    expect(new Date(ntpToMs(10, 0)).getUTCFullYear()).toBe(2036);
  });

  it('knows the timescale of an init segment', () => {
    const mdhd = box('mdhd', words(0, 0, 0, 12_800, 0));
    expect(timescaleOf(box('moov', box('trak', box('mdia', mdhd))).buffer as ArrayBuffer)).toBe(12_800);
    expect(timescaleOf(box('ftyp').buffer as ArrayBuffer)).toBe(90_000);
  });
});

describe('Seam', () => {
  it('closes a hole, and leaves what follows where it belongs', () => {
    const seam = new Seam();
    const first = seam.place(100, 0.04);
    expect(first.isSeam).toBe(true);
    expect(seam.place(100.04, 0.04).startS).toBeCloseTo(first.endS);
    const after = seam.place(103, 0.04);
    expect(after.isSeam).toBe(true);
    expect(after.startS).toBeCloseTo(first.startS + 0.08);
    expect(seam.place(103.04, 0.04).isSeam).toBe(false);
  });

  it('puts a run that begins at nought behind the last one', () => {
    const seam = new Seam();
    const last = seam.place(50, 0.04);
    seam.begin();
    const next = seam.place(0, 0.04);
    expect(next.startS).toBeCloseTo(last.endS);
    expect(next.startS).toBeCloseTo(next.offsetS);
  });

  it('takes pictures of uneven length as they are', () => {
    const seam = new Seam();
    seam.place(0, 0.04);
    expect(seam.place(0.07, 0.04).isSeam).toBe(false);
    expect(seam.place(0.1, 0.04).isSeam).toBe(false);
  });
});

describe('Pace', () => {
  const arrive = (pace: Pace, jitterMs: (at: number) => number, frames = 120): number => {
    let now = 0;
    for (let at = 0; at < frames; at++) {
      now = 1000 + at * 40 + jitterMs(at);
      pace.arrived(at * 0.04, now);
    }
    return now;
  };

  it('stays a few hundredths behind where the network is quick', () => {
    const pace = new Pace();
    const now = arrive(pace, () => 0);
    expect(pace.marginS(now)).toBeLessThan(0.04);
    expect(pace.wantedS(now)).toBeCloseTo(119 * 0.04 - pace.marginS(now));
  });

  it('keeps back as much as pictures are late', () => {
    const pace = new Pace();
    const now = arrive(pace, (at) => (at % 5 === 0 ? 120 : 0));
    expect(pace.marginS(now)).toBeGreaterThan(0.12);
    expect(pace.marginS(now)).toBeLessThan(0.2);
  });

  it('takes no account of what the server had in store', () => {
    const pace = new Pace();
    for (let at = 0; at < 25; at++) pace.arrived(at * 0.04, 2000 + at);
    for (let at = 25; at < 100; at++) pace.arrived(at * 0.04, 2025 + (at - 24) * 40);
    expect(pace.marginS(5025)).toBeLessThan(0.05);
  });

  it('hurries a little, slows down a little, and jumps where it is far behind', () => {
    const pace = new Pace();
    const now = arrive(pace, () => 0);
    const wanted = pace.wantedS(now)!;
    expect(pace.pace(wanted, 0, 5, now)).toEqual({ rate: 1, jumpTo: null });
    expect(pace.pace(wanted - 0.5, 0, 5, now).rate).toBe(1.1);
    expect(pace.pace(wanted + 0.5, 0, 5, now).rate).toBe(0.97);
    expect(pace.pace(wanted - 2, 0, 5, now).jumpTo).toBeCloseTo(wanted);
    // At the begin sooner; and never to where nothing is.
    expect(pace.pace(0, 4, 4.5, now).jumpTo).toBeGreaterThanOrEqual(4);
    expect(pace.pace(0, 1, 3, now).jumpTo).toBeLessThan(3);
  });

  it('grows careful after standstills, and forgets them', () => {
    const pace = new Pace();
    const now = arrive(pace, () => 0);
    const before = pace.marginS(now);
    for (let at = 0; at < 5; at++) pace.stalled(now + at);
    const after = pace.marginS(now + 5);
    expect(after).toBeGreaterThan(before + 0.02);
    expect(pace.marginS(now + 120_000)).toBeLessThan(after);
  });
});

describe('Shown', () => {
  it('finds the mark of the picture that is on the screen', () => {
    const shown = new Shown();
    for (let at = 0; at < 1000; at++) shown.mark(at * 0.04, 5000 + at * 40);
    expect(shown.wallMs(39.9204)).toBe(5000 + 998 * 40);
    expect(shown.wallMs(39.92 - 0.0002)).toBe(5000 + 998 * 40);
    expect(shown.wallMs(2)).toBeNull();
    shown.clear();
    expect(shown.wallMs(39.92)).toBeNull();
  });
});

describe('MasterClock', () => {
  it('goes on at its speed, waits, and can be put anywhere', () => {
    const clock = new MasterClock(1_000_000, 0);
    expect(clock.at(500)).toBe(1_000_000);
    clock.play(500);
    expect(clock.at(1500)).toBe(1_001_000);
    clock.setRate(16, 1500);
    expect(clock.at(1600)).toBe(1_002_600);
    clock.hold(true, 1600);
    expect(clock.at(9000)).toBe(1_002_600);
    clock.hold(false, 9000);
    expect(clock.at(9100)).toBe(1_004_200);
    clock.pause(9100);
    clock.seek(5, 9100);
    expect(clock.at(10_000)).toBe(5);
  });

  it('keeps to speeds from a quarter to sixteen', () => {
    const clock = new MasterClock(0, 0);
    clock.setRate(100, 0);
    expect(clock.rate).toBe(16);
    expect(nextSpeed(1, 1)).toBe(2);
    expect(nextSpeed(0.25, -1)).toBe(0.25);
    expect(nextSpeed(16, 1)).toBe(16);
  });

  it('shows keyframes alone where more could not be decoded', () => {
    expect(isSparse(16, 1)).toBe(false);
    expect(isSparse(8, 3)).toBe(true);
    expect(isSparse(4, 9)).toBe(false);
  });
});

const T0 = Math.floor(Date.UTC(2026, 10, 28, 6, 0, 0) / WINDOW_MS) * WINDOW_MS;
const iso = (at: number): string => new Date(at).toISOString();
const EVER = { fromMs: 0, toMs: Infinity };

/** Fragments of a second each, from `from` to `to` seconds after `T0`, in one file. */
function media(spans: [number, number][], windowAt = 0, bytes = 1000): Media {
  const parts = spans.map(([from, to], at) => ({
    id: `s${at}`,
    mime: 'video/mp4',
    init: { offset: 0, length: 700 },
    url: `/api/v1/segments/s${at}.mp4`,
    from: iso(T0 + from * 1000),
    to: iso(T0 + to * 1000),
    fragments: Array.from({ length: to - from }, (_, n) => [700 + n * bytes, bytes, T0 + (from + n) * 1000, 1000, n * 90_000, 15] as [number, number, number, number, number, number]),
  }));
  const from = T0 + windowAt * WINDOW_MS;
  return { camera: 'plaza', from: iso(from), to: iso(from + WINDOW_MS), parts, gaps: [{ from: iso(T0 + 20_000), to: iso(T0 + 40_000), cause: 'stopped' }], covered: [] };
}

describe('Reel', () => {
  it('knows what is recorded, and what is not, and why', () => {
    const reel = new Reel();
    reel.take(media([[0, 20], [40, 60]]), T0 + 10 * WINDOW_MS, T0); // prettier-ignore
    expect(reel.at(T0 + 5500)!.fromMs).toBe(T0 + 5000);
    expect(reel.at(T0 + 30_000)).toBeNull();
    expect(reel.gapAt(T0 + 30_000)!.cause).toBe('stopped');
    expect(reel.next(T0 + 30_000)!.fromMs).toBe(T0 + 40_000);
    expect(reel.previous(T0 + 40_000)!.fromMs).toBe(T0 + 19_000);
    expect(reel.knows(T0 - 1)).toBe(false);
  });

  it('asks for what it does not know, within the view', () => {
    const reel = new Reel();
    const now = T0 + 20 * WINDOW_MS;
    expect(reel.missing(T0 + 1000, T0 + 2000, now, EVER)).toEqual({ fromMs: T0, toMs: T0 + WINDOW_MS });
    expect(reel.missing(T0 + 1000, T0 + 2000, now, { fromMs: T0 + 500, toMs: T0 + 9000 })).toEqual({ fromMs: T0 + 500, toMs: T0 + 9000 });
    reel.take(media([[0, 300]]), now, T0);
    expect(reel.missing(T0 + 1000, T0 + 2000, now, EVER)).toBeNull();
    expect(reel.missing(T0 + 1000, T0 + WINDOW_MS + 1, now, EVER)!.fromMs).toBe(T0 + WINDOW_MS);
    expect(reel.missing(T0 + 1000, T0 + 2000, now, { fromMs: now, toMs: now + 1 })).toBeNull();
  });

  it('asks again for a time that still grows, but not without need', () => {
    const reel = new Reel();
    const now = T0 + 21_000;
    reel.take(media([[0, 20]]), now, T0);
    expect(reel.missing(T0, T0 + 5000, now + 10_000, EVER)).toBeNull();
    expect(reel.missing(T0, T0 + 19_000, now + 1000, EVER)).toBeNull();
    expect(reel.missing(T0, T0 + 19_000, now + 2000, EVER)!.fromMs).toBe(T0);
  });

  it('holds a bounded number of windows, those around the position', () => {
    const reel = new Reel();
    for (let at = 0; at < 60; at++) reel.take({ ...media([[0, 1]], at), parts: [] }, T0 + 100 * WINDOW_MS, T0 + at * WINDOW_MS);
    expect(reel.knows(T0)).toBe(false);
    expect(reel.knows(T0 + 59 * WINDOW_MS)).toBe(true);
  });
});

describe('plan', () => {
  const at = (second: number, had: number[] = [], more: Partial<Parameters<typeof plan>[1]> = {}): Parameters<typeof plan>[1] => ({
    atMs: T0 + second * 1000,
    rate: 1,
    isPlaying: true,
    isSparse: false,
    has: (clip) => had.includes((clip.fromMs - T0) / 1000),
    ...more,
  });
  const seconds = (found: ReturnType<typeof plan>): number[] | null => found && found.clips.map((clip) => (clip.fromMs - T0) / 1000);

  it('fetches what is shown now by itself, then more at once', () => {
    const reel = new Reel();
    reel.take(media([[0, 100]]), T0 + 10 * WINDOW_MS, T0);
    expect(seconds(plan(reel, at(5.5)))).toEqual([5]);
    const next = plan(reel, at(5.5, [5]))!;
    expect(seconds(next)).toEqual([6, 7, 8, 9]);
    expect([next.offset, next.length]).toEqual([700 + 6000, 4000]);
    expect(seconds(plan(reel, at(5.5, [5, 6, 8])))).toEqual([7]);
    expect(plan(reel, at(5.5, [5, 6, 7, 8, 9]))).toBeNull();
  });

  it('goes farther ahead at a higher speed, but not beyond its bytes', () => {
    const reel = new Reel();
    reel.take(media([[0, 100]], 0, 3 << 20), T0 + 10 * WINDOW_MS, T0);
    const had: number[] = [];
    for (let found = plan(reel, at(0, had, { rate: 8 })); found; found = plan(reel, at(0, had, { rate: 8 }))) had.push(...seconds(found)!);
    expect(had.length).toBe(Math.floor(MOST_AHEAD_BYTES / (3 << 20)));
  });

  it('never joins what lies in two files, nor over a gap', () => {
    const reel = new Reel();
    reel.take(media([[0, 7], [7, 20]]), T0 + 10 * WINDOW_MS, T0); // prettier-ignore
    expect(seconds(plan(reel, at(5, [5])))).toEqual([6]);
    expect(seconds(plan(reel, at(5, [5, 6])))).toEqual([7, 8]);
  });

  it('begins with what comes next where nothing is shown now', () => {
    const reel = new Reel();
    reel.take(media([[40, 60]]), T0 + 10 * WINDOW_MS, T0);
    expect(seconds(plan(reel, at(38)))).toEqual([40]);
  });

  it('takes one clip for each picture where keyframes alone are shown', () => {
    const reel = new Reel();
    reel.take(media([[0, 100]]), T0 + 10 * WINDOW_MS, T0);
    const had: number[] = [];
    const sparse = { rate: 16, isSparse: true };
    for (let found = plan(reel, at(0, had, sparse)); found; found = plan(reel, at(0, had, sparse))) had.push(...seconds(found)!);
    expect(had).toEqual([0, 4, 8, 12, 16, 20]);
    expect(sparseMs(T0 + 5000, 16)).toBe(sparseMs(T0 + 7000, 16));
  });
});
