// What the console keeps of a person: their own preferences, none of them lost to another page, and a session until the server ends it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Session } from '../src/api/types.ts';
import { session } from '../src/app/session.svelte.ts';
import { readLayouts, withLayout } from '../src/pages/wall/layouts.ts';
import { Wall } from '../src/pages/wall/wall.svelte.ts';

const me = (id: string): Session => ({
  user: { id, name: id, display_name: '', totp: false }, grants: [], permissions: {}, node_permissions: [], csrf: 'secret', // prettier-ignore
  expires: '2026-03-10T20:00:00.000Z', site_name: '', timezone: 'UTC', version: '1', trial_keys: false, server_time: new Date().toISOString(), // prettier-ignore
});

/** The server's side of the preferences: it merges, and refuses who has seen another state. */
class Server {
  kept: Record<string, unknown> = {};
  version = 1;
  status = 0;
  asked: string[] = [];
  /** Done by another page just before the next change comes. */
  meanwhile: () => void = () => undefined;

  answer(url: string, init: RequestInit): Promise<Response> {
    const method = init.method ?? 'GET';
    this.asked.push(`${method} ${url.replace('/api/v1', '')}`);
    if (this.status) return Promise.resolve(new Response(JSON.stringify({ detail: 'no' }), { status: this.status, headers: { 'content-type': 'application/problem+json' } }));
    if (method === 'DELETE') return Promise.resolve(new Response(null, { status: 204 }));
    if (method === 'PATCH') {
      this.meanwhile();
      this.meanwhile = () => undefined;
      const seen = new Headers(init.headers).get('If-Match');
      if (seen && seen !== `"${this.version}"`) return Promise.resolve(new Response('', { status: 412 }));
      this.change(JSON.parse(init.body as string) as Record<string, unknown>);
    }
    return Promise.resolve(new Response(JSON.stringify(this.kept), { headers: { etag: `"${this.version}"` } }));
  }

  change(by: Record<string, unknown>): void {
    this.kept = { ...this.kept, ...by };
    this.version++;
  }
}

const layout = (id: string): { id: string; name: string; tiles: never[] } => ({ id, name: id, tiles: [] });
let server: Server;

beforeEach(() => {
  server = new Server();
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => server.answer(url, init));
  session.enter(me('anna'));
});

afterEach(() => {
  session.leave();
  vi.unstubAllGlobals();
});

describe('preferences', () => {
  it('that never came are not wiped by a change of the theme', async () => {
    server.kept = { layouts: [layout('north')] };
    server.status = 500;
    await session.loadPreferences().catch(() => undefined);
    expect(session.hasPreferences).toBe(false);
    server.status = 0;
    await session.prefer({ theme: 'dark' });
    expect(server.kept).toEqual({ layouts: [layout('north')], theme: 'dark' });
    expect(session.preferences).toEqual(server.kept);
    expect(session.hasPreferences).toBe(true);
  });

  it('keep the wall that another page has saved meanwhile', async () => {
    await session.loadPreferences();
    server.meanwhile = () => server.change({ layouts: [layout('theirs')] });
    const wall = new Wall();
    await wall.saveAs('ours');
    expect(readLayouts(server.kept['layouts']).map((each) => each.name)).toEqual(['theirs', 'ours']);
    expect(wall.layout?.name).toBe('ours');
    server.change({ layouts: [...(server.kept['layouts'] as unknown[]), layout('later')] });
    await wall.remove();
    expect(readLayouts(server.kept['layouts']).map((each) => each.name)).toEqual(['theirs', 'later']);
  });

  it('are given up on where it goes on like that', async () => {
    const change = (): void => {
      server.change({ theme: 'light' });
      queueMicrotask(() => (server.meanwhile = change));
    };
    server.meanwhile = change;
    await expect(session.prefer(() => ({ layouts: [] }))).rejects.toMatchObject({ status: 412 });
    expect(server.asked.filter((each) => each.startsWith('PATCH'))).toHaveLength(4);
  });

  it('are nobody else\'s: they go with whoever signs out, also those on their way', async () => {
    server.kept = { layouts: [layout('north')] };
    await session.loadPreferences();
    const late = session.loadPreferences();
    session.leave();
    expect([session.preferences, session.hasPreferences]).toEqual([{}, false]);
    session.enter(me('berta'));
    await late;
    expect([session.preferences, session.hasPreferences]).toEqual([{}, false]);
  });

  it('come once the server gives them again', async () => {
    server.kept = { ...me('anna'), theme: 'dark' };
    await session.renew();
    expect(session.hasPreferences).toBe(true);
    const count = server.asked.length;
    await session.renew();
    expect(server.asked.slice(count)).toEqual(['GET /session']);
  });
});

describe('stored walls', () => {
  it('that this version cannot read stay as they are', () => {
    const odd = { id: 'odd', shape: 'round' };
    expect(withLayout([odd, layout('north')], layout('north'), (each) => ({ ...each, name: 'North' }))).toEqual([odd, { ...layout('north'), name: 'North' }]);
  });

  it('that somebody removed while they were changed here are kept', () => {
    expect(withLayout(undefined, layout('north'), (each) => ({ ...each, name: 'North' }))).toEqual([{ ...layout('north'), name: 'North' }]);
  });
});

describe('signing out', () => {
  it('that the server did not hear of leaves everything as it is, and says so', async () => {
    server.status = 500;
    await expect(session.signOut()).rejects.toMatchObject({ status: 500 });
    expect(session.me?.user.id).toBe('anna');
  });

  it.each([0, 401])('is done where the server has let go, or had before (%i)', async (status) => {
    server.status = status;
    await session.signOut();
    expect(session.me).toBeNull();
  });
});
