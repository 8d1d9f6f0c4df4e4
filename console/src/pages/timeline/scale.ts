// Time across the page: zooming, panning, and where the ruler has its marks.
import type { SiteClock } from '../../app/clock.ts';

export interface Stretch {
  fromMs: number;
  toMs: number;
}

export interface Tick {
  atMs: number;
  label: string;
  /** The first of a day, or of an hour where less is shown. */
  isMajor: boolean;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
export const SHORTEST_MS = 10 * SECOND;
export const LONGEST_MS = 31 * DAY;
// So much of the page may show what is still to come.
const FUTURE_SHARE = 0.04;

const STEPS = [
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY,
]; // prettier-ignore

export function length(stretch: Stretch): number {
  return stretch.toMs - stretch.fromMs;
}

/** A stretch of a length that may be shown, that ends (nearly) now at the latest. */
export function held(stretch: Stretch, nowMs: number): Stretch {
  const size = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, length(stretch)));
  const middle = (stretch.fromMs + stretch.toMs) / 2;
  const toMs = Math.min(middle + size / 2, nowMs + size * FUTURE_SHARE);
  return { fromMs: toMs - size, toMs };
}

/** Zoom by a factor (2 shows half as much) so that the moment `anchorMs` stays where it is. */
export function zoomed(stretch: Stretch, factor: number, anchorMs: number, nowMs: number): Stretch {
  const size = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, length(stretch) / factor));
  const share = (anchorMs - stretch.fromMs) / length(stretch);
  const fromMs = anchorMs - share * size;
  return held({ fromMs, toMs: fromMs + size }, nowMs);
}

export function panned(stretch: Stretch, byMs: number, nowMs: number): Stretch {
  return held({ fromMs: stretch.fromMs + byMs, toMs: stretch.toMs + byMs }, nowMs);
}

/** The same zoom with a moment in view: as it is where it is in view already. */
export function revealed(stretch: Stretch, atMs: number, nowMs: number): Stretch {
  const margin = length(stretch) * 0.03;
  if (stretch.fromMs + margin <= atMs && atMs <= stretch.toMs - margin) return stretch;
  const size = length(stretch);
  return held({ fromMs: atMs - size / 2, toMs: atMs + size / 2 }, nowMs);
}

export function toX(atMs: number, stretch: Stretch, width: number): number {
  return ((atMs - stretch.fromMs) / length(stretch)) * width;
}

export function toMs(x: number, stretch: Stretch, width: number): number {
  return stretch.fromMs + (x / Math.max(1, width)) * length(stretch);
}

/** The smallest step whose marks are at least so far apart. */
export function stepFor(stretch: Stretch, width: number, leastPx = 84): number {
  return STEPS.find((step) => (step / length(stretch)) * width >= leastPx) ?? STEPS.at(-1)!;
}

/** The marks of the ruler, at round times of the site's own clock. */
export function ticks(stretch: Stretch, width: number, clock: SiteClock): Tick[] {
  if (width <= 0) return [];
  const step = stepFor(stretch, width);
  return (step >= HOUR ? byWall(stretch, step, clock) : byClock(stretch, step)).map((atMs) => label(atMs, step, clock));
}

/** Below an hour all zones agree, but for quarters of an hour. */
function byClock(stretch: Stretch, step: number): number[] {
  const found: number[] = [];
  for (let at = Math.ceil(stretch.fromMs / step) * step; at <= stretch.toMs; at += step) found.push(at);
  return found;
}

/** From an hour on each day counts from its own midnight, also where the clocks are changed. */
function byWall(stretch: Stretch, step: number, clock: SiteClock): number[] {
  const found: number[] = [];
  const days = Math.max(1, step / DAY);
  const first = clock.startOfDay(stretch.fromMs);
  for (let day = 0; day <= LONGEST_MS / DAY + 2; day += 1) {
    const midnight = clock.startOfDay(first, day);
    if (midnight > stretch.toMs) break;
    if (step >= DAY && !isOnGrid(midnight, days, clock)) continue;
    const wall = clock.wall(midnight);
    for (let hour = 0; hour < 24; hour += Math.min(24, step / HOUR)) {
      const at = clock.fromWall({ ...wall, hour, minute: 0, second: 0 });
      if (at >= stretch.fromMs && at <= stretch.toMs && found.at(-1) !== at) found.push(at);
    }
  }
  return found;
}

function isOnGrid(midnight: number, days: number, clock: SiteClock): boolean {
  const { year, month, day } = clock.wall(midnight);
  return (Date.UTC(year, month - 1, day) / DAY) % days === 0;
}

function label(atMs: number, step: number, clock: SiteClock): Tick {
  const { hour, minute, second } = clock.wall(atMs);
  const isMidnight = hour === 0 && minute === 0 && second === 0;
  if (step >= DAY || isMidnight) return { atMs, label: clock.format(atMs, 'day'), isMajor: true };
  const isMajor = step < MINUTE ? second === 0 : step < HOUR && minute === 0;
  return { atMs, label: clock.format(atMs, step < MINUTE ? 'time_s' : 'time'), isMajor };
}
