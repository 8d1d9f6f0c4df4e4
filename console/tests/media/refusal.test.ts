// A live picture that the server refuses: what the tile is told, how often the server is asked, and when it is tried again.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { api } from '../../src/api/client.ts';
import { LivePlayer, type LiveState } from '../../src/media/live.ts';
import { refusalOfClose, waitMs } from '../../src/media/refusal.ts';
import { FakeSocket } from '../fake_socket.ts';

interface Given {
  states: LiveState[];
  asked: string[];
  player: LivePlayer;
  video: { dataset: Record<string, string>; canPlayType: () => string; onerror?: () => void; onplaying?: () => void };
}

let player: LivePlayer | null = null;

function problem(status: number, kind = '', detail = 'so it is'): Response {
  return new Response(JSON.stringify({ type: kind ? `urn:lamppost:problem:${kind}` : 'about:blank', status, detail }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
}

function given(answer: () => Response | Promise<Response>): Given {
  const asked: string[] = [];
  const states: LiveState[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve(answer());
  });
  const video = {
    dataset: {} as Record<string, string>,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
    canPlayType: () => 'maybe',
    pause: () => undefined,
    load: () => undefined,
    play: () => Promise.resolve(),
  };
  player = new LivePlayer({ video: video as unknown as HTMLVideoElement, camera: 'old town', nowMs: Date.now, onState: (state) => states.push(state) });
  return { states, asked, player, video };
}

const last = (): FakeSocket => FakeSocket.last;
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('location', { protocol: 'https:', host: 'lamppost.test' });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('MediaSource', class {});
});

afterEach(() => {
  player?.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('a refused live picture', () => {
  it.each([
    ['forbidden', 403, 'forbidden'],
    ['forbidden', 404, 'not-found'],
    ['full', 429, 'full'],
    ['full', 503, 'full'],
    ['unrecorded', 503, 'store'],
  ] as const)('is %s where the playlist answers %i %s', async (state, status, kind) => {
    const { states, asked, video } = given(() => problem(status, kind));
    last().refuse();
    await settle();
    expect(states.at(-1)).toBe(state);
    expect(video.dataset['live']).toBe(state);
    expect(asked).toEqual(['/api/v1/cameras/old%20town/live.m3u8']);
  });

  it.each([
    ['forbidden', 4403, ''],
    ['full', 4429, ''],
    ['unrecorded', 1011, 'this view cannot be put on the record'],
  ] as const)('is %s where the server closes with %i, and nobody needs to ask', async (state, code, reason) => {
    const { states, asked } = given(() => problem(500));
    last().open();
    last().end(code, reason);
    await settle();
    expect([states.at(-1), asked]).toEqual([state, []]);
  });

  it('leaves alone what is no refusal: a restart, a bug, a line that went dead', async () => {
    const { states, asked } = given(() => problem(500));
    for (const [code, reason] of [[1012, ''], [1011, ''], [1011, 'keepalive ping timeout'], [1006, '']] as const) { // prettier-ignore
      last().open();
      last().end(code, reason);
      expect(states.at(-1)).toBe('reconnecting');
      await vi.advanceTimersByTimeAsync(5_000);
    }
    expect([FakeSocket.made.length, asked]).toEqual([5, []]);
  });

  it.each([
    ['a socket that is closed so', (): void => (last().open(), last().end(4401))],
    ['a playlist that says so', (): void => last().refuse()],
  ])('has whoever is signed out sign in again: %s', async (_name, refuse) => {
    const signedOut = vi.spyOn(api, 'onSignedOut');
    const { states } = given(() => problem(401, 'signed-out'));
    refuse();
    await vi.advanceTimersByTimeAsync(600_000);
    expect([states.at(-1), FakeSocket.made.length]).toEqual(['signed_out', 1]);
    expect(signedOut).toHaveBeenCalled();
  });

  it('asks once, and not at every try, while nobody answers', async () => {
    const { states, asked } = given(() => Promise.reject(new TypeError('no network')));
    for (let at = 0; at < 200; at++) {
      if (last().readyState === 0) last().refuse();
      await vi.advanceTimersByTimeAsync(300);
    }
    expect(FakeSocket.made.length).toBeGreaterThan(5);
    expect(asked.length).toBe(2);
    expect(states.at(-1)).toBe('reconnecting');
  });

  it('waits longer after each refusal, and asks once for each', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const { asked } = given(() => problem(403, 'forbidden'));
    const waits: number[] = [];
    for (let at = 0; at < 6; at++) {
      const count = FakeSocket.made.length;
      last().refuse();
      const begin = performance.now();
      while (FakeSocket.made.length === count) await vi.advanceTimersByTimeAsync(1000);
      waits.push(Math.round((performance.now() - begin) / 1000));
    }
    expect(waits).toEqual([30, 60, 120, 240, 300, 300]);
    expect(asked.length).toBe(6);
  });

  it('says that something is in the way where the server would let us, but not at the first try', async () => {
    const { states, asked } = given(() => problem(404, 'no-picture'));
    last().refuse();
    await settle();
    expect(states.at(-1)).toBe('reconnecting');
    await vi.advanceTimersByTimeAsync(2000);
    last().refuse();
    await settle();
    expect([states.at(-1), asked.length]).toEqual(['blocked', 1]);
  });

  it('takes the word back once it is let in', async () => {
    const { states } = given(() => problem(403));
    last().refuse();
    await vi.advanceTimersByTimeAsync(31_000);
    expect(states.at(-1)).toBe('forbidden');
    last().open();
    last().onmessage({ data: '{"type":"state","state":"waiting"}' });
    expect(states.at(-1)).toBe('connecting');
  });

  it('does not listen to an answer that comes after the socket has opened', async () => {
    let answer: (response: Response) => void = () => undefined;
    const { states } = given(() => new Promise<Response>((resolve) => (answer = resolve)));
    last().refuse();
    await vi.advanceTimersByTimeAsync(1000);
    last().open();
    answer(problem(403));
    await settle();
    expect(states.at(-1)).not.toBe('forbidden');
  });

  it('tries nothing any more after it was closed', async () => {
    const { player: closed } = given(() => problem(403));
    last().refuse();
    await settle();
    closed.close();
    await vi.advanceTimersByTimeAsync(600_000);
    expect(FakeSocket.made.length).toBe(1);
  });

  it('asks also where the browser plays the playlist itself', async () => {
    vi.stubGlobal('MediaSource', undefined);
    const { states, asked, video } = given(() => problem(403));
    video.onerror!();
    await settle();
    expect([states.at(-1), asked.length]).toEqual(['forbidden', 1]);
    await vi.advanceTimersByTimeAsync(60_000);
    video.onplaying!();
    expect(states.at(-1)).toBe('live');
  });
});

describe('refusals', () => {
  it('are bounded in their waits, and differ by chance', () => {
    expect(waitMs('full', 0, () => 1)).toBe(5000);
    expect(waitMs('full', 0, () => 0)).toBe(3750);
    expect(waitMs('full', 1000, () => 1)).toBe(60_000);
    expect(refusalOfClose(4499, '')).toBeNull();
  });
});
