// A socket comes back by itself, not in a rush, and not after it was closed.
import { describe, expect, it, vi } from 'vitest';

import { Socket, type SocketOutside, type SocketState } from '../src/api/socket.ts';
import { FakeSocket } from './fake_socket.ts';

/** One of which the page is told that it closed it, as a browser does on a line that lives. */
class LiveSocket extends FakeSocket {
  override close(): void {
    this.end();
  }
}

function given(): { outside: SocketOutside; made: FakeSocket[]; waits: number[]; tick: (ms: number) => void; wake: () => void } {
  const made: FakeSocket[] = [];
  const waits: number[] = [];
  let then: (() => void) | null = null;
  let nowMs = 0;
  vi.stubGlobal('location', { protocol: 'https:', host: 'lamppost.test' });
  return {
    made,
    waits,
    tick: (ms) => (nowMs += ms),
    wake: () => then?.(),
    outside: {
      open: () => {
        const socket = new LiveSocket();
        made.push(socket);
        return socket as unknown as WebSocket;
      },
      after: (ms, run) => {
        waits.push(ms);
        then = run;
        return () => (then = null);
      },
      random: () => 1,
      nowMs: () => nowMs,
    },
  };
}

describe('a socket', () => {
  it('hands on what comes, and says how it stands', () => {
    const { outside, made } = given();
    const texts: string[] = [];
    const states: SocketState[] = [];
    const bytes: number[] = [];
    const socket = new Socket('/events/feed', { onText: (text) => texts.push(text), onBinary: (each) => bytes.push(each.byteLength), onState: (state) => states.push(state) }, outside);
    made[0]!.open();
    made[0]!.onmessage({ data: '{"type":"ping"}' });
    made[0]!.onmessage({ data: new ArrayBuffer(3) });
    socket.send({ type: 'pause' });
    expect([texts, bytes, states, made[0]!.sent]).toEqual([['{"type":"ping"}'], [3], ['connecting', 'open'], ['{"type":"pause"}']]);
  });

  it('that is closed before it stands is let go once it does, and is heard no more', () => {
    const { outside, made } = given();
    const states: SocketState[] = [];
    const socket = new Socket('/events/feed', { onState: (state) => states.push(state) }, outside);
    socket.close();
    expect(made[0]!.readyState).toBe(0);
    made[0]!.open();
    expect([made[0]!.readyState, states, made.length]).toEqual([3, ['connecting', 'closed'], 1]);
  });

  it('waits longer after every failure, up to a bound, and anew after one that held', () => {
    const { outside, made, waits, tick, wake } = given();
    new Socket('/events/feed', {}, outside);
    for (let failure = 0; failure < 8; failure++) {
      made.at(-1)!.end();
      wake();
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000]);
    made.at(-1)!.open();
    tick(60_000);
    made.at(-1)!.end();
    expect(waits.at(-1)).toBe(500);
  });

  it('stays closed, and an old one says nothing any more', () => {
    const { outside, made, waits, wake } = given();
    const texts: string[] = [];
    const socket = new Socket('/events/feed', { onText: (text) => texts.push(text) }, outside);
    made[0]!.open();
    socket.close();
    made[0]!.onmessage({ data: 'late' });
    wake();
    expect([made.length, waits, texts, socket.state]).toEqual([1, [], [], 'closed']);
  });

  it('tells how it ended, and comes back no more where that made somebody close it', () => {
    const { outside, made, waits } = given();
    const ends: unknown[] = [];
    const socket: Socket = new Socket('/cameras/plaza/live', { onEnd: (end) => (ends.push(end), end.code === 4429 && socket.close()) }, outside);
    made[0]!.end();
    socket.hurry();
    made[1]!.open();
    made[1]!.end(4429, 'full');
    expect(ends).toEqual([
      { wasOpen: false, code: 1006, reason: '' },
      { wasOpen: true, code: 4429, reason: 'full' },
    ]);
    expect([waits.length, made.length, socket.state]).toEqual([1, 2, 'closed']);
  });

  it('hurries when it is asked to', () => {
    const { outside, made } = given();
    const socket = new Socket('/events/feed', {}, outside);
    made[0]!.end();
    socket.hurry();
    expect(made).toHaveLength(2);
  });
});
