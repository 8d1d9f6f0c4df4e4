// What became of every second of a day, and where spans lie on a strip of it.
import type { GapAccount } from '../../api/types.ts';

export interface Part {
  /** `recorded`, `unexplained`, or the cause of gaps. */
  id: string;
  isGap: boolean;
  seconds: number;
  /** Of all that is accounted for, from 0 to 1. */
  share: number;
}

/** The parts of a day in order: recorded, gaps from the longest on, and what nothing explains, also when it is 0. */
export function partsOf(account: GapAccount): Part[] {
  const gaps = Object.entries(account.gap_s_by_cause)
    .filter(([, seconds]) => seconds > 0)
    .sort(([, a], [, b]) => b - a);
  const whole = account.recorded_s + account.unexplained_s + gaps.reduce((sum, [, seconds]) => sum + seconds, 0);
  const part = (id: string, seconds: number, isGap = false): Part => ({ id, isGap, seconds, share: whole > 0 ? seconds / whole : 0 });
  return [part('recorded', account.recorded_s), ...gaps.map(([cause, seconds]) => part(cause, seconds, true)), part('unexplained', account.unexplained_s)];
}

/** Of what is recorded: what shows something, what is covered whole, and what was never masked. */
export function watchable(account: GapAccount): Part[] {
  const covered = Math.min(account.covered_s, account.masked_s);
  const parts: [string, number][] = [
    ['masked', account.masked_s - covered],
    ['covered', covered],
    ['unwatched', Math.max(0, account.recorded_s - account.masked_s)],
  ];
  return parts.map(([id, seconds]) => ({ id, isGap: false, seconds, share: account.recorded_s > 0 ? Math.min(1, seconds / account.recorded_s) : 0 }));
}

/** Less than a second of rounding between two books is no hole. */
export function isUnexplained(account: GapAccount): boolean {
  return account.unexplained_s >= 0.5;
}

export interface Placed {
  /** Shares of the strip, from 0 to 1. */
  left: number;
  width: number;
}

/** Where a span lies on a strip from `from` to `to`; null where it is outside. One that lasts goes on to `now`. */
export function placed(span: { from: number; to: number | null }, from: number, to: number, now: number): Placed | null {
  const start = Math.max(from, span.from);
  const end = Math.min(to, span.to ?? now);
  if (end < start || start >= to || end <= from) return null;
  return { left: (start - from) / (to - from), width: (end - start) / (to - from) };
}
