// What the client promises: nothing changes without the CSRF token, every problem can be told apart, a restart is sat out.
import { describe, expect, it, vi } from 'vitest';

import { Client, isAborted, Problem, urlOf } from '../src/api/client.ts';

interface Sent {
  url: string;
  init: RequestInit;
}

function given(...answers: (Response | Error)[]): { client: Client; sent: Sent[]; pauses: number[] } {
  const sent: Sent[] = [];
  const pauses: number[] = [];
  let key = 0;
  const client = new Client({
    fetch: (url, init) => {
      sent.push({ url, init });
      const answer = answers.shift();
      if (!answer) throw new Error('asked too often');
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    pause: (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    },
    key: () => `key-${++key}`,
  });
  return { client, sent, pauses };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });

const told = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify({ status, ...body }), { status, headers: { 'content-type': 'application/problem+json', ...headers } });

const header = (sent: Sent | undefined, name: string): string | null => new Headers(sent?.init.headers).get(name);

describe('a session that is over', () => {
  it('is told of by whatever is asked, but not by asking who we are', async () => {
    const over = (): Response => told(401, { type: 'urn:lamppost:problem:signed-out', detail: 'nobody is signed in' });
    const { client } = given(over(), over(), over(), over());
    let count = 0;
    client.onSignedOut = () => count++;
    await expect(client.get('/session')).rejects.toThrow();
    expect(count).toBe(0);
    for (const ask of [client.get('/cameras'), client.open('/api/v1/cameras/plaza/live.m3u8'), client.bytes('/api/v1/segments/1.mp4', null)]) {
      await expect(ask).rejects.toMatchObject({ status: 401, kind: 'signed-out' });
    }
    expect(count).toBe(3);
  });
});

describe('asking', () => {
  it('names the API and leaves out what is not asked for', () => {
    expect(urlOf('/events', { camera: 'plaza', rule: '', limit: 50, cursor: null, type: ['a', 'b'] })).toBe(
      '/api/v1/events?camera=plaza&limit=50&type=a&type=b',
    );
    expect(urlOf('/api/v1/segments/1.mp4?view=7', { x: 1 })).toBe('/api/v1/segments/1.mp4?view=7&x=1');
  });

  it('sends the CSRF token with what changes something, and with nothing else', async () => {
    const { client, sent } = given(json({}), json({}), json({}));
    client.csrf = 'secret';
    await client.get('/cameras');
    await client.patch('/cameras/plaza', { preset: 'all' }, { ifMatch: '"3"' });
    await client.delete('/cameras/plaza');
    expect(sent.map((each) => header(each, 'X-CSRF-Token'))).toEqual([null, 'secret', 'secret']);
    expect(header(sent[1], 'If-Match')).toBe('"3"');
    expect(sent[1]?.init.body).toBe('{"preset":"all"}');
  });

  it('gives every POST a key of its own, or the one that is given', async () => {
    const { client, sent } = given(json({}), json({}), json({}));
    await client.post('/holds', {});
    await client.post('/holds', {});
    await client.post('/holds', {}, { idempotencyKey: 'again' });
    expect(sent.map((each) => header(each, 'Idempotency-Key'))).toEqual(['key-1', 'key-2', 'again']);
  });

  it('tells the entity tag of what it read', async () => {
    const { client } = given(json({ rules: {} }, 200, { etag: '"7"' }), new Response(null, { status: 204 }));
    expect(await client.getTagged('/cameras/plaza/rules')).toEqual({ value: { rules: {} }, etag: '"7"' });
    expect(await client.delete('/session')).toBeNull();
  });
});

describe('problems', () => {
  it('keep what the server said, where it is wrong, and when to come back', async () => {
    const { client } = given(
      told(422, {
        type: 'urn:lamppost:problem:invalid',
        detail: 'it cannot be used',
        remedy: 'change it',
        errors: [{ at: 'body.masking.look_back_s', problem: 'too long' }],
      }),
      told(429, { type: 'about:blank', title: 'Too Many Requests' }, { 'retry-after': '17' }),
    );
    const problem = (await client.patch('/configuration', {}).catch((error: unknown) => error)) as Problem;
    expect(problem).toBeInstanceOf(Problem);
    expect([problem.status, problem.kind, problem.detail, problem.remedy]).toEqual([422, 'invalid', 'it cannot be used', 'change it']);
    expect(problem.at('masking.look_back_s')).toBe('too long');
    expect(problem.at('look_back_s')).toBe('too long');
    expect(problem.at('back_s')).toBe('');
    const throttled = (await client.post('/session', {}).catch((error: unknown) => error)) as Problem;
    expect([throttled.kind, throttled.detail, throttled.retryAfterS]).toEqual(['', 'Too Many Requests', 17]);
  });

  it('of a session that ended send to sign-in, but a wrong password does not', async () => {
    const { client } = given(told(401, {}), told(401, {}));
    client.onSignedOut = vi.fn();
    await expect(client.get('/cameras')).rejects.toThrow();
    expect(client.onSignedOut).toHaveBeenCalledTimes(1);
    await expect(client.post('/session', {})).rejects.toThrow();
    expect(client.onSignedOut).toHaveBeenCalledTimes(1);
  });
});

describe('a server that restarts', () => {
  it('is waited for when reading, at growing pauses', async () => {
    const { client, pauses } = given(new TypeError('refused'), new Response('', { status: 502 }), json({ items: [] }));
    const reached: boolean[] = [];
    client.onReached = (isReached) => reached.push(isReached);
    expect(await client.get('/cameras')).toEqual({ items: [] });
    expect(pauses).toHaveLength(2);
    expect(pauses[1]).toBeGreaterThan(pauses[0]!);
    expect(reached).toEqual([false, false, true]);
  });

  it('is waited for no longer than that', async () => {
    const { client, pauses } = given(...Array.from({ length: 5 }, () => new TypeError('refused')));
    const problem = (await client.get('/cameras').catch((error: unknown) => error)) as Problem;
    expect(problem.isUnreachable).toBe(true);
    expect(pauses).toHaveLength(4);
  });

  it('is told nothing twice that changes something', async () => {
    const { client, sent } = given(new TypeError('refused'));
    await expect(client.post('/holds', {})).rejects.toMatchObject({ status: 0 });
    expect(sent).toHaveLength(1);
  });
});

it('lets go of what nobody wants any more', async () => {
  const giveUp = new AbortController();
  const { client, pauses } = given(new DOMException('given up', 'AbortError'));
  giveUp.abort();
  const error = await client.get('/cameras', { signal: giveUp.signal }).catch((reason: unknown) => reason);
  expect(isAborted(error)).toBe(true);
  expect(pauses).toEqual([]);
});
