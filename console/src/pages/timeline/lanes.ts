// What the timeline of a camera shows, laid out in pixels: bands, gaps, and event marks that do not run into each other.
import type { Severity, Timeline } from '../../api/types.ts';
import { type Stretch, toX } from './scale.ts';

export type Band = 'masked' | 'gap' | 'covered' | 'forgotten' | 'reduction';

export interface Bar {
  band: Band;
  fromMs: number;
  toMs: number;
  x: number;
  width: number;
  /** A cause or a step; empty where there is none. */
  word: string;
  detail: string;
}

export interface Mark {
  x: number;
  fromMs: number;
  toMs: number | null;
  severity: Severity;
  type: string;
  count: number;
  ids: string[];
}

// What is there must be seen, however short it was.
const LEAST_PX: Record<Band, number> = { masked: 0.5, gap: 2, covered: 2, forgotten: 0.5, reduction: 2 };
const MARK_PX = 11;
const RANK: Record<Severity, number> = { info: 0, warning: 1, alarm: 2 };
const NEAR_PX = 7;

/** Every band, in the order in which they are painted. */
export function bars(timeline: Timeline, stretch: Stretch, width: number, nowMs: number): Bar[] {
  const made: Bar[] = [];
  const add = (band: Band, from: string, to: string | null, word = '', detail = ''): void => {
    const fromMs = Date.parse(from);
    const toMs = to === null ? nowMs : Date.parse(to);
    if (toMs < stretch.fromMs || fromMs > stretch.toMs) return;
    const x = toX(Math.max(fromMs, stretch.fromMs), stretch, width);
    const end = toX(Math.min(toMs, stretch.toMs), stretch, width);
    made.push({ band, fromMs, toMs, x, width: Math.max(LEAST_PX[band], end - x), word, detail });
  };
  for (const each of timeline.forgotten) add('forgotten', each.from, each.to);
  for (const each of timeline.spans) add('masked', each.from, each.to);
  for (const each of timeline.covered) add('covered', each.from, each.to, each.cause);
  for (const each of timeline.reductions) add('reduction', each.from, each.to, each.step);
  for (const each of timeline.gaps) add('gap', each.from, each.to, each.cause, each.detail);
  return made;
}

/** Whether there is masked video at that moment. */
export function isMasked(timeline: Timeline | undefined, atMs: number): boolean {
  return timeline?.spans.some((span) => Date.parse(span.from) <= atMs && atMs < Date.parse(span.to)) ?? false;
}

/** Event marks; those that would lie on each other become one, of the worst severity. */
export function marks(timeline: Timeline, stretch: Stretch, width: number): Mark[] {
  const single = timeline.events.map((event): Mark => {
    const fromMs = Date.parse(event.from);
    const toMs = event.to === null ? null : Date.parse(event.to);
    return { x: toX(fromMs, stretch, width), fromMs, toMs, severity: event.severity, type: event.type, count: 1, ids: [event.id] };
  });
  const dense = (timeline.event_density ?? []).map((bucket): Mark => {
    const fromMs = Date.parse(bucket.from);
    return { x: toX(fromMs, stretch, width), fromMs, toMs: null, severity: bucket.worst, type: '', count: bucket.count, ids: [] };
  });
  const made: Mark[] = [];
  for (const mark of [...single, ...dense].sort((a, b) => a.fromMs - b.fromMs)) {
    if (mark.x < -MARK_PX || mark.x > width + MARK_PX) continue;
    const last = made.at(-1);
    if (last && mark.x - last.x < MARK_PX) made[made.length - 1] = joined(last, mark);
    else made.push(mark);
  }
  return made;
}

function joined(first: Mark, second: Mark): Mark {
  const worst = RANK[second.severity] > RANK[first.severity] ? second : first;
  const type = first.type === second.type ? first.type : '';
  return { ...first, severity: worst.severity, type, count: first.count + second.count, ids: [...first.ids, ...second.ids].slice(0, 50) };
}

/** What lies under the pointer, the most telling first: a mark, then a gap, a cover, a reduction. */
export function under(x: number, all: readonly Bar[], some: readonly Mark[]): { mark: Mark | null; bar: Bar | null } {
  const mark = some.filter((each) => Math.abs(each.x - x) <= NEAR_PX).sort((a, b) => Math.abs(a.x - x) - Math.abs(b.x - x))[0] ?? null;
  const order: Band[] = ['gap', 'covered', 'forgotten', 'reduction'];
  const here = all.filter((each) => each.x - 1 <= x && x <= each.x + each.width + 1);
  const bar = order.flatMap((band) => here.find((each) => each.band === band) ?? [])[0] ?? null;
  return { mark, bar };
}

/** The moment at or after `atMs` at which any of the cameras has a recording; null where none has. */
export function nextRecorded(timelines: readonly (Timeline | null)[], atMs: number): number | null {
  let best: number | null = null;
  for (const span of timelines.flatMap((each) => each?.spans ?? [])) {
    const fromMs = Date.parse(span.from);
    if (Date.parse(span.to) <= atMs) continue;
    const start = Math.max(fromMs, atMs);
    if (best === null || start < best) best = start;
  }
  return best;
}
