// The list of events while new ones come: what is shown stays where it is, what is new waits until it is asked for.
import type { Event } from '../../api/types.ts';

const MOST_WAITING = 500;

export interface Filters {
  camera: string;
  site: string;
  type: string;
  severity: string;
  state: string;
  rule: string;
  from: string;
  to: string;
}

export const FILTER_NAMES: readonly (keyof Filters)[] = ['camera', 'site', 'type', 'severity', 'state', 'rule', 'from', 'to'];

/** Whether an event that the feed brings belongs into the list; `siteCameras` are those of the chosen site. */
export function belongs(event: Event, filters: Filters, siteCameras: readonly string[] | null): boolean {
  if (filters.camera && event.camera !== filters.camera) return false;
  if (filters.site && !(event.camera !== null && siteCameras?.includes(event.camera))) return false;
  if (filters.type && event.type !== filters.type) return false;
  if (filters.severity && event.severity !== filters.severity) return false;
  if (filters.rule && event.rule !== filters.rule) return false;
  if (filters.state === 'open' && event.ended !== null) return false;
  if (filters.state === 'acknowledged' && !event.acknowledged) return false;
  if (filters.state === 'unacknowledged' && event.acknowledged) return false;
  const at = Date.parse(event.started);
  if (filters.from && at < Date.parse(filters.from)) return false;
  return !(filters.to && at >= Date.parse(filters.to));
}

/** The newest first, as the server lists them. */
export function newestFirst(one: Event, other: Event): number {
  return Date.parse(other.started) - Date.parse(one.started) || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0);
}

export interface Shown {
  readonly items: readonly Event[];
  /** New ones that nobody has seen yet. */
  readonly waiting: readonly Event[];
  /** More came than are kept: then the list is loaded anew instead. */
  readonly hasLostSome: boolean;
}

export const NOTHING: Shown = { items: [], waiting: [], hasLostSome: false };

/** What the feed tells: one that is shown changes in its place, whatever the filters say now; a new one waits. */
export function told(shown: Shown, event: Event, isWanted: boolean): Shown {
  if (shown.items.some((each) => each.id === event.id)) {
    return { ...shown, items: shown.items.map((each) => (each.id === event.id ? event : each)) };
  }
  const others = shown.waiting.filter((each) => each.id !== event.id);
  if (!isWanted) return others.length === shown.waiting.length ? shown : { ...shown, waiting: others };
  const waiting = [event, ...others];
  return { ...shown, waiting: waiting.slice(0, MOST_WAITING), hasLostSome: shown.hasLostSome || waiting.length > MOST_WAITING };
}

/**
 * A page of the history, put behind what is there; of what both know the newer word of the feed holds. What the feed told
 * while the first page was on its way, and what that page has no place for, goes on waiting.
 */
export function paged(shown: Shown, page: readonly Event[], isFirst: boolean): Shown {
  const told = new Map([...shown.waiting, ...(isFirst ? [] : shown.items)].map((each) => [each.id, each]));
  const fresh = page.map((each) => newer(each, told.get(each.id)));
  const ids = new Set(page.map((each) => each.id));
  const last = page.at(-1);
  if (isFirst) {
    const waiting = shown.waiting.filter((each) => !ids.has(each.id) && (!last || newestFirst(each, last) < 0));
    return { items: fresh, waiting, hasLostSome: false };
  }
  const there = new Set(shown.items.map((each) => each.id));
  return { ...shown, items: [...shown.items, ...fresh.filter((each) => !there.has(each.id))], waiting: shown.waiting.filter((each) => !ids.has(each.id)) };
}

/** Of two words of one event the one that knows more of it: an end, a note and who looked after it only ever come. */
function newer(one: Event, other: Event | undefined): Event {
  return other && known(other) > known(one) ? other : one;
}

function known({ ended, acknowledged, comments }: Event): number {
  return comments + (ended === null ? 0 : 1) + (acknowledged === null ? 0 : 1);
}

/** The reader wants to see the new ones. */
export function released(shown: Shown): Shown {
  return { items: [...shown.waiting, ...shown.items].sort(newestFirst), waiting: [], hasLostSome: false };
}

/**
 * What was missed while the feed was away: the newest page is held against what was there as it came back, `before`. Where
 * the page is full and meets nothing of that, more was missed than it holds, and the list begins anew once that is asked for.
 */
export function caughtUp(shown: Shown, newest: readonly Event[], before = shown, isFull = false): Shown {
  const there = new Map([...shown.items, ...shown.waiting].map((each) => [each.id, each]));
  const so = [...newest].reverse().reduce((made, event) => told(made, newer(event, there.get(event.id)), true), shown);
  const ids = new Set([...before.items, ...before.waiting].map((each) => each.id));
  const isHole = isFull && newest.length > 0 && !newest.some((event) => ids.has(event.id));
  return isHole ? { ...so, hasLostSome: true } : so;
}

/** The next or previous one in the list; the first where none is chosen. */
export function neighbour(items: readonly Event[], id: string, by: 1 | -1): Event | null {
  const at = items.findIndex((each) => each.id === id);
  if (at < 0) return items[0] ?? null;
  return items[at + by] ?? null;
}

export interface Day {
  /** The site's midnight that it began with. */
  at: number;
  items: Event[];
}

/** By the day of the site's clock, in the order of the list. */
export function byDay(items: readonly Event[], startOfDay: (at: string) => number): Day[] {
  const days: Day[] = [];
  for (const event of items) {
    const at = startOfDay(event.started);
    const last = days.at(-1);
    if (last?.at === at) last.items.push(event);
    else days.push({ at, items: [event] });
  }
  return days;
}
