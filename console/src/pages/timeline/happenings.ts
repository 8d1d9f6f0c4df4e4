// The timeline as a list: events, gaps and covered spans in the order of time, for whoever cannot see or point at it.
import type { Severity, Timeline } from '../../api/types.ts';
import type { Stretch } from './scale.ts';

export interface Happening {
  key: string;
  camera: string;
  what: 'event' | 'gap' | 'covered';
  /** The type of the event, or the cause. */
  word: string;
  severity: Severity | null;
  fromMs: number;
  toMs: number | null;
}

export const MOST_LISTED = 200;

/** Those that touch the stretch, oldest first, and how many more there are. */
export function happenings(timelines: Readonly<Record<string, Timeline>>, stretch: Stretch): { list: Happening[]; more: number } {
  const all: Happening[] = [];
  let more = 0;
  for (const [camera, timeline] of Object.entries(timelines)) {
    const add = (what: Happening['what'], key: string, word: string, severity: Severity | null, from: string, to: string | null): void => {
      const fromMs = Date.parse(from);
      const toMs = to === null ? null : Date.parse(to);
      if (fromMs > stretch.toMs || (toMs ?? Infinity) < stretch.fromMs) return;
      all.push({ key: `${camera} ${what} ${key}`, camera, what, word, severity, fromMs, toMs });
    };
    for (const event of timeline.events) add('event', event.id, event.type, event.severity, event.from, event.to);
    for (const gap of timeline.gaps) add('gap', gap.id, gap.cause, null, gap.from, gap.to);
    for (const span of timeline.covered) add('covered', span.from, span.cause, null, span.from, span.to);
    for (const bucket of timeline.event_density ?? []) if (isIn(Date.parse(bucket.from), stretch)) more += bucket.count;
  }
  all.sort((a, b) => a.fromMs - b.fromMs);
  return { list: all.slice(0, MOST_LISTED), more: more + Math.max(0, all.length - MOST_LISTED) };
}

/** When the event begins that is next after (or before) a moment; null where none is known. */
export function nextEvent(timelines: readonly Timeline[], atMs: number, direction: 1 | -1): number | null {
  const begins = timelines.flatMap((timeline) => timeline.events.map((event) => Date.parse(event.from)));
  if (direction === 1) return begins.filter((begin) => begin > atMs + 1).sort((a, b) => a - b)[0] ?? null;
  // Who is just behind a begin wants the one before.
  return begins.filter((begin) => begin < atMs - 1500).sort((a, b) => b - a)[0] ?? null;
}

function isIn(atMs: number, stretch: Stretch): boolean {
  return stretch.fromMs <= atMs && atMs <= stretch.toMs;
}
