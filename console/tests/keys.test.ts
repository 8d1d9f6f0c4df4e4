// Single keys: those of the page, and that whoever does not want them turns them off.
import { afterEach, describe, expect, it, vi } from 'vitest';

import { keys } from '../src/app/keys.svelte.ts';

const press = (key: string): KeyboardEvent => ({ key, target: null, defaultPrevented: false, preventDefault: vi.fn() }) as unknown as KeyboardEvent;

afterEach(() => {
  keys.turn(true);
  keys.isHelpOpen = false;
  vi.unstubAllGlobals();
});

describe('single keys', () => {
  it('lead to pages and open the list of keys', () => {
    vi.stubGlobal('document', { querySelector: () => null });
    vi.stubGlobal('HTMLElement', class {});
    const go = vi.fn();
    keys.handle(press('g'), go);
    keys.handle(press('e'), go);
    keys.handle(press('?'), go);
    expect(go.mock.calls).toEqual([['events']]);
    expect(keys.isHelpOpen).toBe(true);
  });

  it('do nothing once they are turned off, and that is kept', () => {
    const stored = new Map<string, string>();
    vi.stubGlobal('localStorage', { setItem: (name: string, value: string) => stored.set(name, value), removeItem: (name: string) => stored.delete(name) });
    vi.stubGlobal('document', { querySelector: () => null });
    vi.stubGlobal('HTMLElement', class {});
    keys.turn(false);
    keys.handle(press('?'), vi.fn());
    expect([keys.isHelpOpen, stored.get('lamppost-keys')]).toEqual([false, 'off']);
    keys.turn(true);
    expect(stored.size).toBe(0);
  });
});
