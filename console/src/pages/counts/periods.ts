// Which time is looked at, and which it is held against: by the site's clock, also across the days on which it is changed.
import type { By } from '../../api/types.ts';
import type { SiteClock, WallTime } from '../../app/clock.ts';

export type PeriodName = 'today' | 'yesterday' | 'week' | 'month' | 'custom';
export type AgainstName = '' | 'day' | 'week' | 'custom';

export const PERIODS: readonly PeriodName[] = ['today', 'yesterday', 'week', 'month', 'custom'];
export const AGAINST: readonly AgainstName[] = ['', 'day', 'week', 'custom'];
export const BYS: readonly By[] = ['minute', 'quarter', 'hour', 'day'];

/** `to` is outside. */
export interface Period {
  from: number;
  to: number;
}

const HOUR_MS = 3_600_000;
const LENGTH_MS: Record<By, number> = { minute: 60_000, quarter: 900_000, hour: HOUR_MS, day: 24 * HOUR_MS };
// More points than a screen has columns say nothing, and take long.
const MOST_BUCKETS = 3000;

/** The period of that name; a custom one is what was given, or today. */
export function periodOf(name: PeriodName, clock: SiteClock, given: { from: number | null; to: number | null }): Period {
  const now = clock.nowMs();
  const today = clock.startOfDay(now);
  const tomorrow = clock.startOfDay(now, 1);
  if (name === 'yesterday') return { from: clock.startOfDay(now, -1), to: today };
  if (name === 'week') return { from: clock.startOfDay(now, -6), to: tomorrow };
  if (name === 'month') {
    const wall = clock.wall(now);
    return { from: clock.fromWall({ ...wall, day: 1, hour: 0, minute: 0, second: 0 }), to: tomorrow };
  }
  if (name === 'custom' && given.from !== null && given.to !== null && given.to > given.from) return { from: given.from, to: given.to };
  return { from: today, to: tomorrow };
}

/** The buckets that a period can be shown in. */
export function possibleBys({ from, to }: Period): By[] {
  return BYS.filter((by) => (to - from) / LENGTH_MS[by] <= MOST_BUCKETS && (by !== 'day' || to - from > 25 * HOUR_MS));
}

/** What was asked for if it can be had, else what suits the length. */
export function fittingBy(asked: string, period: Period): By {
  const possible = possibleBys(period);
  const found = possible.find((by) => by === asked);
  if (found) return found;
  const hours = (period.to - period.from) / HOUR_MS;
  const wanted: By = hours <= 3 ? 'minute' : hours <= 26 ? 'quarter' : hours <= 24 * 10 ? 'hour' : 'day';
  return possible.includes(wanted) ? wanted : (possible.at(-1) ?? 'day');
}

/** The period that is held against another: so many days earlier by the wall clock, or from a given moment on. */
export function againstOf(name: AgainstName, period: Period, clock: SiteClock, givenFrom: number | null): Period | null {
  if (!name) return null;
  const days = name === 'custom' ? (givenFrom === null ? null : daysBetween(clock, period.from, givenFrom)) : name === 'day' ? -1 : -7;
  if (days === null || days === 0) return null;
  return { from: shifted(clock, period.from, days), to: shifted(clock, period.to, days) };
}

/** The same time on the wall clock, `days` later. */
export function shifted(clock: SiteClock, at: number, days: number): number {
  const wall = clock.wall(at);
  return clock.fromWall({ ...wall, day: wall.day + days }) + (at % 1000);
}

export function daysBetween(clock: SiteClock, from: number, to: number): number {
  const day = ({ year, month, day: of }: WallTime): number => Date.UTC(year, month - 1, of) / (24 * HOUR_MS);
  return day(clock.wall(to)) - day(clock.wall(from));
}

/**
 * Values of another period brought onto an axis by the wall clock: 08:00 is held against 08:00, whatever the clocks did
 * in between. An hour that comes twice on one side only is unknown on the other, and so is one that never came.
 */
export function aligned(axis: readonly number[], others: ReadonlyMap<number, number | null>, days: number, clock: SiteClock): (number | null)[] {
  const known = new Map<string, number | null>();
  const seen = new Map<string, number>();
  for (const [at, value] of [...others].sort(([a], [b]) => a - b)) known.set(nth(wallKey(clock.wall(at), 0), seen), value);
  const asked = new Map<string, number>();
  return axis.map((at) => known.get(nth(wallKey(clock.wall(at), days), asked)) ?? null);
}

function wallKey(wall: WallTime, days: number): string {
  const date = new Date(Date.UTC(wall.year, wall.month - 1, wall.day + days)).toISOString().slice(0, 10);
  return `${date} ${wall.hour}:${wall.minute}`;
}

/** The second time that a clock shows the same, on the night it is put back, is another. */
function nth(key: string, seen: Map<string, number>): string {
  const count = (seen.get(key) ?? 0) + 1;
  seen.set(key, count);
  return `${key} #${count}`;
}

/** By how much more or less, as a share; null where there is nothing to compare with. */
export function changeOf(now: number | null, before: number | null): number | null {
  return now === null || !before ? null : (now - before) / before;
}
