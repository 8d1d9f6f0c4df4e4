// A timeline that could not be loaded is not one of a camera that recorded nothing.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { session } from '../../src/app/session.svelte.ts';
import { Watching } from '../../src/pages/timeline/watching.svelte.ts';

const failing = new Set<string>();
let [views, status] = [0, 500];
let watching: Watching;

beforeEach(() => {
  vi.useFakeTimers();
  failing.clear();
  [views, status] = [0, 500];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    if (init.method === 'POST') views++;
    const name = /cameras\/(\w+)\//.exec(url)?.[1] ?? 'views';
    if (failing.has(name)) {
      return Promise.resolve(new Response('{"detail":"the index is busy"}', { status, headers: { 'content-type': 'application/problem+json' } }));
    }
    const body = name === 'views' ? { id: 'v', ...(JSON.parse(init.body as string) as object) } : { camera: name, spans: [], gaps: [], events: [] };
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
  session.leave();
  watching = new Watching(Date.now() - 60_000);
});

afterEach(() => {
  watching.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const fetchAll = (signal = new AbortController().signal): Promise<void> => watching.fetchTimelines(watching.stretch, signal);

it('tells of each camera what could not be loaded, until it can', async () => {
  watching.cameras = ['plaza', 'bridge'];
  failing.add('bridge');
  await fetchAll();
  expect([Object.keys(watching.timelines), Object.keys(watching.faults)]).toEqual([['plaza'], ['bridge']]);
  expect(watching.faults['bridge']?.detail).toBe('the index is busy');
  failing.clear();
  await fetchAll();
  expect([Object.keys(watching.timelines), watching.faults]).toEqual([['plaza', 'bridge'], {}]);
  failing.add('plaza');
  await fetchAll();
  expect(Object.keys(watching.faults)).toEqual(['plaza']);
  watching.choose(['bridge']);
  expect([watching.timelines, watching.faults]).toEqual([{}, {}]);
});

it('says nothing of what nobody wants any more', async () => {
  watching.cameras = ['plaza'];
  failing.add('plaza');
  const giveUp = new AbortController();
  const done = fetchAll(giveUp.signal);
  giveUp.abort();
  await done;
  expect(watching.faults).toEqual({});
});

it('asks for its view again when the server is back, but not after a refusal', async () => {
  failing.add('views');
  watching.choose(['plaza']);
  await vi.advanceTimersByTimeAsync(0);
  expect(watching.problem?.status).toBe(500);
  failing.clear();
  watching.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect([watching.problem, watching.view?.id, views]).toEqual([null, 'v', 2]);
  failing.add('views');
  status = 403;
  watching.again();
  await vi.advanceTimersByTimeAsync(0);
  watching.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect([watching.problem?.status, views]).toEqual([403, 3]);
});
