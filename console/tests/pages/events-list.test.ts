// The list of events misses nothing: not while the first page is on its way, not after an outage, not after other filters.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Event } from '../../src/api/types.ts';
import { caughtUp, type Filters, NOTHING, paged, released, type Shown, told } from '../../src/pages/events/feed.ts';
import { EventList } from '../../src/pages/events/list.svelte.ts';
import { FakeSocket } from '../fake_socket.ts';

const NONE: Filters = { camera: '', site: '', type: '', severity: '', state: '', rule: '', from: '', to: '' };
const FIRST = Date.UTC(2026, 2, 10);

function event(number: number, more: Partial<Event> = {}): Event {
  return {
    id: String(number).padStart(4, '0'), type: 'dwell', severity: 'warning', camera: 'plaza', site: 'Old Town', rule: 'long', place: 'bench', kind: 'person', // prettier-ignore
    count: 1, value: null, unit: null, limit: null, level: null, ways: [], note: '', started: new Date(FIRST + number * 1000).toISOString(), // prettier-ignore
    ended: null, snapshot: null, acknowledged: null, comments: 0, ...more,
  };
}

const events = (from: number, to: number): Event[] => Array.from({ length: from - to + 1 }, (_, at) => event(from - at));
const numbers = (list: readonly Event[]): number[] => list.map((each) => Number(each.id));

const last = (): FakeSocket => FakeSocket.last;
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** A server with so many events, a page of 50 at a time. */
let there: number;
let status: number;
let asked: string[];
let gate: Promise<void> | null;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  [there, status, asked, gate, stop] = [60, 0, [], null, () => undefined];
  vi.stubGlobal('location', { protocol: 'https:', host: 'lamppost.test' });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', async (url: string) => {
    if (!url.startsWith('/api/v1/events')) return new Response(null, { status: 204 });
    const query = new URL(url, 'https://lamppost.test').searchParams;
    asked.push(`${query.get('camera') ?? ''}@${query.get('cursor') ?? ''}`);
    const [from, failed] = [Number(query.get('cursor') ?? there), status];
    const to = Math.max(1, from - 49);
    await gate;
    if (failed) return new Response('{"detail":"no"}', { status: failed, headers: { 'content-type': 'application/problem+json' } });
    return new Response(JSON.stringify({ items: events(from, to), next: to > 1 ? String(to - 1) : null }));
  });
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function followed(): Promise<EventList> {
  const list = new EventList();
  stop = list.follow(NONE, null);
  last().open();
  await settle();
  return list;
}

async function outage(): Promise<void> {
  last().end();
  await vi.advanceTimersByTimeAsync(2000);
  last().open();
  await settle();
}

describe('the list', () => {
  it('keeps what the feed tells while the first page is on its way', async () => {
    let open: () => void = () => undefined;
    gate = new Promise((resolve) => (open = resolve));
    const list = new EventList();
    stop = list.follow(NONE, null);
    last().open();
    last().say({ type: 'event', event: event(61) });
    open();
    await settle();
    expect(numbers(list.shown.items)).toEqual(numbers(events(60, 11)));
    expect(numbers(list.shown.waiting)).toEqual([61]);
  });

  it('finds what happened between the first page and the feed', async () => {
    const list = new EventList();
    stop = list.follow(NONE, null);
    await settle();
    there = 63;
    last().open();
    await settle();
    expect(numbers(list.shown.waiting)).toEqual([63, 62, 61]);
  });

  it('waits with what was missed in a short outage', async () => {
    const list = await followed();
    there = 100;
    await outage();
    list.release();
    expect(numbers(list.shown.items)).toEqual(numbers(events(100, 11)));
  });

  it('has no hole after a long one: it begins anew', async () => {
    const list = await followed();
    there = 400;
    gate = null;
    last().end();
    await vi.advanceTimersByTimeAsync(2000);
    last().open();
    last().say({ type: 'event', event: event(400) }); // told again by the feed, and in the newest page: no proof that nothing is between
    await settle();
    expect(list.shown.hasLostSome).toBe(true);
    list.release();
    await settle();
    list.more();
    await settle();
    expect(numbers(list.shown.items)).toEqual(numbers(events(400, 301)));
    expect([list.shown.waiting, list.shown.hasLostSome]).toEqual([[], false]);
  });

  it('catches up once more where that failed', async () => {
    const list = await followed();
    there = 62;
    status = 500;
    await outage();
    expect(list.problem?.status).toBe(500);
    status = 0;
    list.retry();
    await settle();
    expect([list.problem, numbers(list.shown.waiting)]).toEqual([null, [62, 61]]);
  });

  it('leaves no rows of other filters, and tries those again that failed', async () => {
    const list = await followed();
    status = 500;
    stop();
    stop = list.follow({ ...NONE, camera: 'plaza' }, null);
    expect(list.shown).toEqual(NOTHING);
    await settle();
    expect([list.problem?.status, list.isThere, list.next]).toEqual([500, false, null]);
    status = 0;
    list.retry();
    await settle();
    expect([list.problem, list.shown.items.length, asked.at(-1)]).toEqual([null, 50, 'plaza@']);
  });

  it('keeps its rows where the cameras of the site alone came later', async () => {
    const list = await followed();
    stop();
    stop = list.follow(NONE, ['plaza']);
    expect(list.shown.items).toHaveLength(50);
  });

  it('drops a feed that went silent, and a quiet one only hears a ping', async () => {
    const list = await followed();
    for (let at = 0; at < 10; at++) {
      await vi.advanceTimersByTimeAsync(20_000);
      last().onmessage({ data: '{"type":"ping"}' });
    }
    expect([FakeSocket.made.length, list.feed]).toEqual([1, 'open']);
    await vi.advanceTimersByTimeAsync(45_000);
    expect(list.feed).toBe('waiting');
    list.hurry();
    expect(FakeSocket.made).toHaveLength(2);
  });
});

describe('pages and the feed', () => {
  const shown: Shown = paged(NOTHING, events(60, 11), true);

  it('tell of one event once, and the one that knows more is right', () => {
    const waits = told(told(shown, event(5), true), event(61), true);
    const after = released(paged(waits, events(10, 1), false));
    expect(numbers(after.items)).toEqual(numbers(events(61, 1)));
    const ended = told(shown, event(60, { ended: '2026-03-10T09:00:00.000Z' }), true);
    expect(caughtUp(ended, [event(60)]).items[0]!.ended).not.toBeNull();
    expect(caughtUp(shown, [event(60, { comments: 1 })]).items[0]!.comments).toBe(1);
  });

  it('leave to older pages what is older than the first one', () => {
    const waits = told(told(NOTHING, event(3), true), event(61), true);
    expect(numbers(paged(waits, events(60, 11), true).waiting)).toEqual([61]);
    expect(numbers(paged(waits, [], true).waiting)).toEqual([61, 3]);
  });
});
