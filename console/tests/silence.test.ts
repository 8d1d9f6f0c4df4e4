// A line that went dead is noticed: by sockets, by requests, and when the network comes back; and a page that is left alone says so.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Client } from '../src/api/client.ts';
import { Socket, type SocketState } from '../src/api/socket.ts';
import { connection } from '../src/app/connection.svelte.ts';
import { Presence } from '../src/app/presence.ts';
import { FakeSocket } from './fake_socket.ts';

const last = (): FakeSocket => FakeSocket.last;

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('location', { protocol: 'https:', host: 'lamppost.test' });
  vi.stubGlobal('WebSocket', FakeSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a socket of a server that always has a word', () => {
  it('is given up after some silence, and made anew', async () => {
    const states: SocketState[] = [];
    const socket = new Socket('/events/feed', { silentMs: 8000, onState: (state) => states.push(state) });
    last().open();
    for (let at = 0; at < 10; at++) {
      await vi.advanceTimersByTimeAsync(7000);
      last().onmessage({ data: '{"type":"ping"}' });
    }
    expect(FakeSocket.made).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(8000);
    expect([states.at(-1), FakeSocket.made[0]!.isClosed]).toEqual(['waiting', true]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(FakeSocket.made).toHaveLength(2);
    socket.close();
  });

  it('is given up where it does not even open, and asks no more once it is closed', async () => {
    const ends: boolean[] = [];
    const socket = new Socket('/events/feed', { silentMs: 8000, onEnd: ({ wasOpen }) => ends.push(wasOpen) });
    await vi.advanceTimersByTimeAsync(11_000);
    expect([FakeSocket.made.length, ends]).toEqual([2, [false]]);
    socket.close();
    await vi.advanceTimersByTimeAsync(600_000);
    expect([FakeSocket.made.length, vi.getTimerCount()]).toEqual([2, 0]);
  });

  it('of which nothing is known may be silent for as long as it likes', async () => {
    const socket = new Socket('/events/feed', {});
    last().open();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(FakeSocket.made).toHaveLength(1);
    socket.close();
  });
});

describe('a request', () => {
  const hangs = (_url: string, init: RequestInit): Promise<Response> =>
    new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new DOMException('gone', 'AbortError'))));

  it('that nobody answers is one that did not reach the server', async () => {
    const client = new Client({ fetch: hangs, pause: () => Promise.resolve(), key: () => '1' });
    const reached: boolean[] = [];
    client.onReached = (isReached) => reached.push(isReached);
    const asked = client.get('/cameras', { retries: false }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(31_000);
    expect(await asked).toMatchObject({ status: 0, kind: 'unreachable' });
    expect(reached).toEqual([false]);
  });

  it('says whether the page asks by itself', async () => {
    const sent: (string | null)[] = [];
    const client = new Client({
      fetch: (_url, init) => {
        sent.push(new Headers(init.headers).get('X-Lamppost-Background'));
        return Promise.resolve(new Response('{}'));
      },
      pause: () => Promise.resolve(),
      key: () => '1',
    });
    let nowMs = 0;
    const presence = new Presence(() => nowMs);
    client.isBackground = () => !presence.isThere;
    await client.get('/cameras');
    nowMs += 61_000;
    await client.get('/cameras');
    await client.bytes('/api/v1/segments/1.mp4', null);
    await client.post('/views', {});
    presence.acted();
    await client.get('/cameras');
    expect(sent).toEqual([null, '1', '1', '1', null]);
  });
});

it('takes keys, clicks and the wheel for somebody who is there', () => {
  let nowMs = 0;
  const presence = new Presence(() => nowMs);
  const page = new EventTarget();
  const stop = presence.watch(page as unknown as Window);
  for (const kind of ['keydown', 'pointerdown', 'wheel']) {
    nowMs += 61_000;
    expect(presence.isThere).toBe(false);
    page.dispatchEvent(new Event(kind));
    expect(presence.isThere).toBe(true);
  }
  stop();
  nowMs += 61_000;
  page.dispatchEvent(new Event('keydown'));
  expect(presence.isThere).toBe(false);
});

it('has everything loaded anew once the network and the server are back', async () => {
  let isThere = false;
  vi.stubGlobal('fetch', () => (isThere ? Promise.resolve(new Response(null, { status: 204 })) : Promise.reject(new TypeError('no network'))));
  const before = connection.returns;
  const done = connection.online();
  await vi.advanceTimersByTimeAsync(500);
  isThere = true;
  await vi.advanceTimersByTimeAsync(5000);
  await done;
  expect(connection.returns).toBe(before + 1);
});
