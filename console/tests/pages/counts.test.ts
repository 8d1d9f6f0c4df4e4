// What was not seen stays unknown in every chart and sum; periods are held against each other by the wall clock.
import { describe, expect, it } from 'vitest';

import type { Bucket, Series } from '../../src/api/types.ts';
import { SiteClock } from '../../src/app/clock.ts';
import { colourOf, peakOf, strengthOf } from '../../src/pages/counts/heat.ts';
import { againstOf, aligned, changeOf, daysBetween, fittingBy, periodOf, possibleBys, shifted } from '../../src/pages/counts/periods.ts';
import { axisOf, bandsOf, busiestHour, byHour, curvesOf, totalOf, valuesOn } from '../../src/pages/counts/shaping.ts';

const H = 3_600_000;
const START = Date.parse('2026-03-10T08:00:00Z');
const LATE = START + 1000 * H;

function bucket(hour: number, count: number | null, more: Partial<Bucket> = {}): Bucket {
  const from = START + hour * H;
  return { from: new Date(from).toISOString(), to: new Date(from + H).toISOString(), observed_s: count === null ? 0 : 3600, count, mean: null, most: null, ...more };
}

function series(measure: string, kind: string | null, buckets: Bucket[]): Series {
  return { camera: 'plaza', place_kind: 'line', place: 'gate', measure, kind, buckets };
}

const all = { kinds: [], isByKind: false };

describe('curves', () => {
  it('add kinds up where they are known, and keep the unknown', () => {
    const [curve] = curvesOf([series('forward', 'person', [bucket(0, 3), bucket(1, null), bucket(2, 0)]), series('forward', 'bicycle', [bucket(0, 2), bucket(1, null), bucket(2, 4)])], all);
    expect(curve!.cells.map((cell) => cell.count)).toEqual([5, null, 4]);
  });

  it('show kinds apart, or only the chosen one', () => {
    const told = [series('forward', 'person', [bucket(0, 3)]), series('forward', 'bicycle', [bucket(0, 2)])];
    expect(curvesOf(told, { kinds: [], isByKind: true }).map((curve) => curve.kind)).toEqual(['person', 'bicycle']);
    expect(curvesOf(told, { kinds: ['bicycle'], isByKind: false })[0]!.cells[0]!.count).toBe(2);
  });

  it('take the level of all things from the server, and do not add its kinds to it', () => {
    const level = (kind: string | null, mean: number): Series => series('occupancy', kind, [bucket(0, 3600, { mean, most: mean * 2 })]);
    expect(curvesOf([level(null, 7), level('person', 5), level('vehicle', 2)], all)[0]!.cells[0]!.mean).toBe(7);
    const [both] = curvesOf([level(null, 7), level('person', 5), level('vehicle', 2)], { kinds: ['person', 'vehicle'], isByKind: false });
    expect(both!.cells[0]).toMatchObject({ mean: 7, most: 10 });
  });

  it('weigh the mean of stays by how many stayed', () => {
    const stays = (kind: string, count: number, mean: number): Series => series('dwell', kind, [bucket(0, count, { mean })]);
    expect(curvesOf([stays('person', 9, 10), stays('vehicle', 1, 110)], all)[0]!.cells[0]!.mean).toBe(20);
  });

  it('are zero where it was seen and nothing of a kind came, and unknown where it was not', () => {
    const [curve] = curvesOf([series('forward', 'person', [bucket(0, 3), bucket(1, null)])], { kinds: ['vehicle'], isByKind: false });
    expect(curve!.cells.map((cell) => cell.count)).toEqual([0, null]);
  });
});

describe('gaps', () => {
  const [curve] = curvesOf([series('forward', 'person', [bucket(0, 3), bucket(1, null), bucket(2, null), bucket(3, 1, { observed_s: 600 }), bucket(4, 2)])], all);

  it('are bands; what was partly seen is another one', () => {
    expect(bandsOf([curve!], LATE)).toEqual([
      { from: START + H, to: START + 3 * H, sort: 'unseen' },
      { from: START + 3 * H, to: START + 4 * H, sort: 'partly' },
    ]);
  });

  it('do not reach into the future', () => {
    const [young] = curvesOf([series('forward', 'person', [bucket(0, 3), bucket(1, 1, { observed_s: 1800 }), bucket(2, null)])], all);
    expect(bandsOf([young!], START + 1.5 * H)).toEqual([]);
  });

  it('are null on the axis, also where a series has no bucket at all', () => {
    const [short] = curvesOf([series('backward', 'person', [bucket(4, 9)])], all);
    const axis = axisOf([curve!, short!]);
    expect(valuesOn(axis, curve!, 'count')).toEqual([3, null, null, 1, 2]);
    expect(valuesOn(axis, short!, 'count')).toEqual([null, null, null, null, 9]);
  });

  it('are missing from sums, and told as the share that was seen', () => {
    const total = totalOf(curve!, 'count', LATE);
    expect(total.value).toBe(6);
    expect(total.seen).toBeCloseTo(7800 / 18_000);
    const [blind] = curvesOf([series('forward', 'person', [bucket(0, null)])], all);
    expect(totalOf(blind!, 'count', LATE)).toMatchObject({ value: null, busiest: null, seen: 0 });
  });
});

it('weighs a mean over time by what was seen', () => {
  const [curve] = curvesOf([series('occupancy', null, [bucket(0, 3600, { mean: 2 }), bucket(1, 900, { mean: 10, observed_s: 900 })])], all);
  expect(totalOf(curve!, 'mean', LATE).value).toBeCloseTo((2 * 3600 + 10 * 900) / 4500);
});

describe('the clock', () => {
  // 2026 in Vienna: forward on 29 March at 02:00, back on 25 October at 03:00.
  const vienna = new SiteClock('Europe/Vienna', 'en', () => Date.parse('2026-10-25T20:00:00Z'));
  const day = (of: number, hours: number): number[] => Array.from({ length: hours }, (_, hour) => of + hour * H);
  const hourOf = (at: number): string => vienna.format(at, 'time');

  it('makes a day of 25 and one of 23 hours', () => {
    const today = periodOf('today', vienna, { from: null, to: null });
    expect((today.to - today.from) / H).toBe(25);
    const spring = new SiteClock('Europe/Vienna', 'en', () => Date.parse('2026-03-29T20:00:00Z'));
    const short = periodOf('today', spring, { from: null, to: null });
    expect((short.to - short.from) / H).toBe(23);
    const week = periodOf('week', vienna, { from: null, to: null });
    expect((week.to - week.from) / H).toBe(7 * 24 + 1);
  });

  it('holds eight against eight, whatever the clocks did in between', () => {
    const long = vienna.startOfDay(Date.parse('2026-10-25T10:00:00Z'));
    const before = vienna.startOfDay(long, -1);
    const values = new Map(day(before, 24).map((at, hour) => [at, hour]));
    const axis = day(long, 25);
    const told = aligned(axis, values, -1, vienna);
    axis.forEach((at, number) => {
      // The second 02:00 had no likeness on the day before.
      if (number === 3) expect(told[number]).toBeNull();
      else expect(told[number]).toBe(Number(hourOf(at).slice(0, 2)));
    });
  });

  it('knows no value for an hour that never came', () => {
    const short = Date.parse('2026-03-28T23:00:00Z');
    const after = vienna.startOfDay(short, 1);
    const values = new Map(day(short, 23).map((at) => [at, 1]));
    const told = aligned(day(after, 24), values, -1, vienna);
    expect(told.filter((value) => value === null)).toHaveLength(1);
    expect(told[2]).toBeNull();
  });

  it('goes back by days of the wall clock', () => {
    const noon = Date.parse('2026-03-29T10:00:00Z');
    expect(hourOf(noon)).toBe('12:00');
    expect(hourOf(shifted(vienna, noon, -1))).toBe('12:00');
    expect(daysBetween(vienna, noon, shifted(vienna, noon, -7))).toBe(-7);
    const period = { from: vienna.startOfDay(noon), to: vienna.startOfDay(noon, 1) };
    const against = againstOf('day', period, vienna, null)!;
    expect((against.to - against.from) / H).toBe(24);
    expect(againstOf('custom', period, vienna, null)).toBeNull();
    expect(againstOf('', period, vienna, null)).toBeNull();
  });

  it('puts quarters together to hours of the site', () => {
    const kolkata = new SiteClock('Asia/Kolkata', 'en');
    const from = Date.parse('2026-03-10T02:30:00Z'); // 08:00 there
    const buckets = Array.from({ length: 8 }, (_, at) => ({
      from: new Date(from + at * 900_000).toISOString(), to: new Date(from + (at + 1) * 900_000).toISOString(),
      observed_s: 900, count: at < 4 ? 1 : 5, mean: null, most: null,
    }));
    const [curve] = curvesOf([series('forward', 'person', buckets)], all);
    expect(byHour(curve!, kolkata).cells.map((cell) => cell.count)).toEqual([4, 20]);
    const busiest = busiestHour(curve!, 'quarter', kolkata, LATE)!;
    expect(kolkata.format(busiest.from, 'time')).toBe('09:00');
    expect(busiest.value).toBe(20);
  });
});

it('offers buckets that fit the length', () => {
  const period = (hours: number) => ({ from: START, to: START + hours * H });
  expect(possibleBys(period(24))).toEqual(['minute', 'quarter', 'hour']);
  expect(fittingBy('', period(2))).toBe('minute');
  expect(fittingBy('', period(24))).toBe('quarter');
  expect(fittingBy('minute', period(24 * 7))).toBe('hour');
  expect(fittingBy('day', period(24 * 7))).toBe('day');
});

it('tells no change against nothing', () => {
  expect(changeOf(12, 10)).toBeCloseTo(0.2);
  expect(changeOf(12, 0)).toBeNull();
  expect(changeOf(null, 10)).toBeNull();
});

it('colours a heat map by strength, and says where it is strongest', () => {
  const heat = { columns: 3, rows: 3, cells: [0, 0, 0, 0, 0, 0, 0, 0, 900], observed_s: 3600 };
  expect(peakOf(heat)).toEqual({ share: 0.25, where: 'bottom_right' });
  expect(peakOf({ ...heat, observed_s: 0 })).toBeNull();
  expect(colourOf(0)[3]).toBe(0);
  expect(colourOf(1)[3]).toBeGreaterThan(colourOf(0.3)[3]);
  expect(strengthOf(0.25, 1)).toBe(0.5);
});
