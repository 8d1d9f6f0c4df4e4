// From the series of the API to what a chart and a table show. What was not seen is null from end to end, and never zero.
import type { Bucket, By, Series } from '../../api/types.ts';
import { ms, type SiteClock } from '../../app/clock.ts';

export type Measure = 'crossings' | 'passages' | 'occupancy' | 'density' | 'queue' | 'dwell' | 'speed';
export type Statistic = 'count' | 'mean' | 'most';

export interface Family {
  /** The API's measures that make it up; the second one is the other way. */
  of: readonly string[];
  of_kind: 'line' | 'zone';
  statistic: Statistic;
  unit: '' | 's' | 'km/h' | 'per_m2';
}

/** What people ask for, and which measures of the API answer it. */
export const FAMILIES: Record<Measure, Family> = {
  crossings: { of: ['forward', 'backward'], of_kind: 'line', statistic: 'count', unit: '' },
  passages: { of: ['entries', 'exits'], of_kind: 'zone', statistic: 'count', unit: '' },
  occupancy: { of: ['occupancy'], of_kind: 'zone', statistic: 'mean', unit: '' },
  density: { of: ['density'], of_kind: 'zone', statistic: 'mean', unit: 'per_m2' },
  queue: { of: ['queue'], of_kind: 'zone', statistic: 'mean', unit: '' },
  dwell: { of: ['dwell'], of_kind: 'zone', statistic: 'mean', unit: 's' },
  speed: { of: ['speed'], of_kind: 'zone', statistic: 'mean', unit: 'km/h' },
};
export const MEASURES = Object.keys(FAMILIES) as Measure[];

export function isMeasure(word: string): word is Measure {
  return word in FAMILIES;
}

/** A bucket with less of it seen than this is only partly known: what was counted is a least. */
const WHOLE_SHARE = 0.97;

export interface Cell {
  from: number;
  to: number;
  observed_s: number;
  count: number | null;
  mean: number | null;
  most: number | null;
}

/** One curve of a chart, one row of a table. */
export interface Curve {
  id: string;
  camera: string;
  place: string;
  measure: string;
  /** Null: all chosen kinds together. */
  kind: string | null;
  cells: readonly Cell[];
}

export interface Wish {
  kinds: readonly string[];
  isByKind: boolean;
}

/**
 * The curves of some series: for every place and measure one for each kind, or one of all chosen kinds together.
 * A level of all things is the server's own; several kinds of it add up where each is known.
 */
export function curvesOf(series: readonly Series[], wish: Wish): Curve[] {
  const groups = new Map<string, Series[]>();
  for (const each of series) {
    const key = [each.camera, each.place, each.measure].join('\n');
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const whole = group.find((each) => each.kind === null);
    const kinds = group.filter((each) => each.kind !== null && (!wish.kinds.length || wish.kinds.includes(each.kind)));
    if (wish.isByKind && kinds.length) return kinds.map((each) => curve(each, each.kind, each.buckets.map(cell)));
    const first = group[0]!;
    const isAll = !wish.kinds.length;
    if (isAll && whole && (kinds.length === 0 || !isCounted(first.measure))) return [curve(first, null, whole.buckets.map(cell))];
    if (kinds.length) return [curve(first, null, together(kinds))];
    // Nothing of the chosen kinds was ever counted here: where it was seen, that is zero.
    const seen = whole ?? first;
    return [curve(first, null, seen.buckets.map((bucket) => emptied(cell(bucket), first.measure)))];
  });
}

function isCounted(measure: string): boolean {
  return ['forward', 'backward', 'entries', 'exits'].includes(measure);
}

function curve(of: Series, kind: string | null, cells: readonly Cell[]): Curve {
  return { id: [of.camera, of.place, of.measure, kind ?? ''].join('/'), camera: of.camera, place: of.place, measure: of.measure, kind, cells };
}

function cell(bucket: Bucket): Cell {
  return { ...bucket, from: ms(bucket.from), to: ms(bucket.to) };
}

function emptied(of: Cell, measure: string): Cell {
  const isSeen = of.observed_s > 0;
  const isLevel = !isCounted(measure) && measure !== 'dwell' && measure !== 'speed';
  return { ...of, count: isSeen ? 0 : null, mean: isSeen && isLevel ? 0 : null, most: isSeen && isLevel ? 0 : null };
}

/** Several kinds as one. Counts and levels add up; a mean of stays or speeds is weighed by how many it is made of. */
function together(series: readonly Series[]): Cell[] {
  const length = Math.max(...series.map((each) => each.buckets.length));
  const isWeighed = series[0]!.measure === 'dwell' || series[0]!.measure === 'speed';
  return Array.from({ length }, (_, at) => {
    const cells = series.flatMap((each) => (each.buckets[at] ? [cell(each.buckets[at])] : []));
    const first = cells[0]!;
    const counts = cells.flatMap((each) => (each.count === null ? [] : [each.count]));
    const count = counts.length ? counts.reduce((sum, one) => sum + one, 0) : null;
    const measured = cells.filter((each) => each.mean !== null);
    const mean = !measured.length
      ? null
      : isWeighed
        ? measured.reduce((sum, each) => sum + each.mean! * (each.count ?? 0), 0) / Math.max(1, measured.reduce((sum, each) => sum + (each.count ?? 0), 0))
        : measured.reduce((sum, each) => sum + each.mean!, 0);
    const peaks = cells.flatMap((each) => (each.most === null ? [] : [each.most]));
    // The peaks of two kinds need not have been at one time: only the largest of them is certain.
    return { ...first, observed_s: Math.max(...cells.map((each) => each.observed_s)), count, mean, most: peaks.length ? Math.max(...peaks) : null };
  });
}

export function valueOf(of: Cell | undefined, statistic: Statistic): number | null {
  return of?.[statistic] ?? null;
}

/** The beginnings of all buckets that any curve has, in order. */
export function axisOf(curves: readonly Curve[]): number[] {
  return [...new Set(curves.flatMap((each) => each.cells.map((of) => of.from)))].sort((a, b) => a - b);
}

/** The values of a curve on an axis; null where it knows nothing. */
export function valuesOn(axis: readonly number[], of: Curve, statistic: Statistic): (number | null)[] {
  const known = new Map(of.cells.map((each) => [each.from, each]));
  return axis.map((at) => valueOf(known.get(at), statistic));
}

export interface Band {
  from: number;
  to: number;
  /** `unseen`: of nothing in it is anything known; `partly`: less happened there than was seen. */
  sort: 'unseen' | 'partly';
}

/** Where no curve was seen, and where it was only partly: neighbours are one band. The future is no gap. */
export function bandsOf(curves: readonly Curve[], nowMs: number): Band[] {
  const spans = new Map<number, { to: number; seen: number; whole: number }>();
  for (const of of curves) {
    for (const each of of.cells) {
      const to = Math.min(each.to, nowMs);
      if (to <= each.from) continue;
      const known = spans.get(each.from);
      spans.set(each.from, { to, seen: Math.max(known?.seen ?? 0, each.observed_s), whole: (to - each.from) / 1000 });
    }
  }
  const bands: Band[] = [];
  for (const [from, { to, seen, whole }] of [...spans].sort(([a], [b]) => a - b)) {
    const sort = seen <= 0 ? 'unseen' : seen < whole * WHOLE_SHARE ? 'partly' : null;
    if (!sort) continue;
    const last = bands.at(-1);
    if (last && last.to === from && last.sort === sort) last.to = to;
    else bands.push({ from, to, sort });
  }
  return bands;
}

export interface Total {
  /** Of counts the sum, of levels and means the mean over what was seen. Null: nothing was. */
  value: number | null;
  /** The largest bucket, and what it had. */
  busiest: { from: number; to: number; value: number } | null;
  /** How much of the time was seen, from 0 to 1. */
  seen: number;
}

export function totalOf(of: Curve, statistic: Statistic, nowMs: number): Total {
  let sum = 0;
  let weight = 0;
  let known = false;
  let seenS = 0;
  let wholeS = 0;
  let busiest: Total['busiest'] = null;
  const isOfEach = of.measure === 'dwell' || of.measure === 'speed';
  for (const each of of.cells) {
    wholeS += Math.max(0, (Math.min(each.to, nowMs) - each.from) / 1000);
    seenS += each.observed_s;
    const value = valueOf(each, statistic);
    if (value === null) continue;
    known = true;
    const weighs = statistic === 'count' ? 1 : isOfEach ? (each.count ?? 0) : each.observed_s;
    sum += statistic === 'count' ? value : value * weighs;
    weight += weighs;
    if (value > 0 && (!busiest || value > busiest.value)) busiest = { from: each.from, to: each.to, value };
  }
  const value = !known ? null : statistic === 'count' ? sum : weight ? sum / weight : null;
  return { value, busiest, seen: wholeS ? Math.min(1, seenS / wholeS) : 0 };
}

/** Buckets of less than an hour put together to hours of the site's clock; an hour that comes twice is two. */
export function byHour(of: Curve, clock: SiteClock): Curve {
  const hours = new Map<number, Cell>();
  for (const each of of.cells) {
    const wall = clock.wall(each.from);
    const from = each.from - (wall.minute * 60 + wall.second) * 1000;
    const known = hours.get(from);
    const add = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : a + b);
    hours.set(
      from,
      known
        ? { ...known, to: Math.max(known.to, each.to), observed_s: known.observed_s + each.observed_s, count: add(known.count, each.count) }
        : { ...each, from },
    );
  }
  return { ...of, cells: [...hours.values()] };
}

/** The largest hour of a curve that is counted; null for levels, and where nothing was. */
export function busiestHour(of: Curve, by: By, clock: SiteClock, nowMs: number): Total['busiest'] {
  if (by === 'day' || !isCounted(of.measure)) return totalOf(of, isCounted(of.measure) ? 'count' : 'mean', nowMs).busiest;
  return totalOf(by === 'hour' ? of : byHour(of, clock), 'count', nowMs).busiest;
}
