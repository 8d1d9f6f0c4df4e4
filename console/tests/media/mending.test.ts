// Pictures mend themselves: a live line that went silent, a playback whose server was away; and what is held stays held.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Deck, type Following } from '../../src/media/deck.ts';
import { LivePlayer, type LiveState } from '../../src/media/live.ts';
import { FakeSocket } from '../fake_socket.ts';

const last = (): FakeSocket => FakeSocket.last;
const video = (): HTMLVideoElement =>
  ({ dataset: {}, addEventListener: () => undefined, removeEventListener: () => undefined, pause: () => undefined, play: () => Promise.resolve() }) as unknown as HTMLVideoElement;

function live(isPaused = false): { player: LivePlayer; states: LiveState[] } {
  const states: LiveState[] = [];
  const player = new LivePlayer({ video: video(), camera: 'plaza', nowMs: Date.now, onState: (state) => states.push(state), isPaused });
  return { player, states };
}

beforeEach(() => {
  vi.useFakeTimers();
  FakeSocket.made = [];
  vi.stubGlobal('location', { protocol: 'https:', host: 'lamppost.test' });
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('MediaSource', class {});
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('a live picture', () => {
  it('whose line went silent is fetched anew within ten seconds', async () => {
    const { player, states } = live();
    last().open();
    last().say({ type: 'state', state: 'waiting' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(FakeSocket.made).toHaveLength(2);
    expect(states).toContain('reconnecting');
    player.close();
  });

  it.each([['of a camera that is lost', false], ['that is held', true]])('%s keeps its line for as long as there is a word', async (_name, isHeld) => {
    const { player, states } = live();
    last().open();
    last().say({ type: 'state', state: 'lost' });
    if (isHeld) player.pause();
    for (let at = 0; at < 40; at++) {
      await vi.advanceTimersByTimeAsync(3000);
      last().say({ type: 'ping' });
    }
    expect([FakeSocket.made.length, states.at(-1)]).toEqual([1, isHeld ? 'paused' : 'lost']);
    player.close();
  });

  it('that waits comes at once when the server is back', async () => {
    const { player } = live();
    for (let at = 0; at < 6; at++) {
      last().onclose({ code: 1012, reason: '' });
      player.hurry();
    }
    expect(FakeSocket.made).toHaveLength(7);
    player.close();
    player.hurry();
    expect(FakeSocket.made).toHaveLength(7);
  });

  it('that begins while all are held is held', () => {
    const { player, states } = live(true);
    last().open();
    expect([states, last().sent]).toEqual([['paused'], ['{"type":"pause"}']]);
    player.resume();
    expect([states.at(-1), last().sent.at(-1)]).toEqual(['connecting', '{"type":"resume"}']);
    player.close();
  });
});

describe('a camera of a playback', () => {
  const following: Following = { atMs: 0, rate: 1, isPlaying: true, isRunning: true, isSparse: false };

  function given(): { deck: Deck; asked: () => number; answer: (status: number) => void } {
    let [asked, status] = [0, 500];
    const nothing = { camera: 'plaza', parts: [], gaps: [], covered: [] };
    vi.stubGlobal('fetch', () => {
      asked++;
      const body = status === 200 ? nothing : { detail: 'no' };
      const kind = status === 200 ? 'application/json' : 'application/problem+json';
      return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { 'content-type': kind } }));
    });
    const nowMs = Date.now();
    following.atMs = nowMs - 60_000;
    const deck = new Deck({
      video: video(), camera: 'plaza', baseMs: 0, nowMs: () => nowMs, // prettier-ignore
      view: () => ({ id: 'v', fromMs: nowMs - 3_600_000, toMs: nowMs }),
    });
    return { deck, asked: () => asked, answer: (next) => (status = next) };
  }

  async function want(deck: Deck, forMs: number): Promise<void> {
    for (let at = 0; at < forMs; at += 500) {
      deck.want(following);
      await vi.advanceTimersByTimeAsync(500);
    }
  }

  it('that could not be had comes by itself once it can', async () => {
    const { deck, answer } = given();
    await want(deck, 10_000);
    expect(deck.status(following)).toBe('failed');
    answer(200);
    await want(deck, 11_000);
    expect(deck.status(following)).toBe('gap');
    deck.close();
  });

  it('comes at once when the server is back', async () => {
    const { deck, answer } = given();
    await want(deck, 10_000);
    answer(200);
    deck.hurry();
    await want(deck, 500);
    expect(deck.status(following)).toBe('gap');
    deck.close();
  });

  it('that is refused is asked for no more, before somebody wants it', async () => {
    const { deck, asked, answer } = given();
    answer(403);
    await want(deck, 30_000);
    deck.hurry();
    await want(deck, 30_000);
    expect([deck.status(following), asked()]).toEqual(['failed', 1]);
    answer(200);
    deck.retry();
    await want(deck, 500);
    expect(deck.status(following)).toBe('gap');
    deck.close();
  });
});
