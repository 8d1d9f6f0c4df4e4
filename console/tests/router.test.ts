// Every page has an address, and every address a page or the word that there is none.
import { describe, expect, it } from 'vitest';

import { wantedPage } from '../src/app/inwards.ts';
import { type Browser, match, pathTo, Router } from '../src/app/router.svelte.ts';

function browser(address: string): Browser & { steps: string[]; back: () => void } {
  const location = { pathname: '', search: '', hash: '' };
  const steps: string[] = [];
  const listeners: (() => void)[] = [];
  const show = (to: string): void => {
    const url = new URL(to, 'http://lamppost.test');
    Object.assign(location, { pathname: url.pathname, search: url.search, hash: url.hash });
  };
  steps.push(address);
  show(address);
  return {
    location,
    steps,
    history: {
      pushState: (_state: unknown, _title: string, to?: string | URL | null) => (steps.push(String(to)), show(String(to))),
      replaceState: (_state: unknown, _title: string, to?: string | URL | null) => ((steps[steps.length - 1] = String(to)), show(String(to))),
    },
    addEventListener: (_type, then) => listeners.push(then),
    back: () => {
      steps.pop();
      show(steps.at(-1)!);
      listeners.forEach((then) => then());
    },
  };
}

describe('addresses', () => {
  it('name pages and what they show', () => {
    expect(match('/')).toEqual({ name: 'home', params: {} });
    expect(match('/cameras')).toEqual({ name: 'cameras', params: {} });
    expect(match('/cameras/plaza/')).toEqual({ name: 'cameras', params: { name: 'plaza' } });
    expect(match('/rules/b%C3%BChne')).toEqual({ name: 'rules', params: { camera: 'bühne' } });
    expect(match('/cameras/plaza/more').name).toBe('lost');
    expect(match('/cameras/%E0%A4%A').params).toEqual({ name: '%E0%A4%A' });
    expect(match('/nothing').name).toBe('lost');
  });

  it('are made of a name as they are read', () => {
    for (const [name, params] of [['rules', { camera: 'old town/1' }], ['settings', { tab: 'users' }], ['settings', {}], ['home', {}]] as const) {
      expect(match(pathTo(name, params))).toEqual({ name, params });
    }
    expect(pathTo('timeline', {}, { camera: ['a', 'b'], at: null })).toBe('/timeline?camera=a&camera=b');
  });
});

describe('the router', () => {
  it('asks a page with something unsaved before it leaves, by a step or by the back button', () => {
    const page = browser('/cameras');
    const router = new Router(page);
    router.go('/rules/plaza?tool=line');
    const asked: string[] = [];
    router.mayLeave = (address) => (asked.push(address), false);
    router.go('/events?severity=alarm');
    expect(router.path).toBe('/rules/plaza');
    router.setQuery({ tool: 'zone' });
    expect(router.get('tool')).toBe('zone');
    page.back();
    expect([router.path, page.location.pathname + page.location.search]).toEqual(['/rules/plaza', '/rules/plaza?tool=zone']);
    expect(asked).toEqual(['/events?severity=alarm', '/cameras']);
    router.mayLeave = null;
    router.go('/events');
    expect(router.name).toBe('events');
  });

  it('follows steps and goes back', () => {
    const page = browser('/wall?layout=2');
    const router = new Router(page);
    expect([router.name, router.get('layout')]).toEqual(['wall', '2']);
    router.go('/events?severity=alarm');
    expect([router.name, router.get('severity'), router.get('layout')]).toEqual(['events', 'alarm', '']);
    page.back();
    expect([router.name, router.get('layout')]).toEqual(['wall', '2']);
  });

  it('changes some of the query, keeps the rest, and leaves no steps behind', () => {
    const page = browser('/events?camera=a&camera=b&state=open');
    const router = new Router(page);
    router.setQuery({ state: null, type: 'crossing' });
    expect(router.all('camera')).toEqual(['a', 'b']);
    expect(page.steps).toEqual(['/events?camera=a&camera=b&type=crossing']);
    router.setQuery({ type: 'stay' }, { replace: false });
    expect(page.steps).toHaveLength(2);
  });

  it('takes a secret out of the address in the moment it reads it', () => {
    const page = browser('/setup?x=1#token=abc');
    const router = new Router(page);
    expect(router.takeFragment('token')).toBe('abc');
    expect(page.steps).toEqual(['/setup?x=1']);
    expect(page.location.hash).toBe('');
  });
});

it('leads nobody out of the console after sign-in', () => {
  expect(wantedPage('/events?severity=alarm')).toBe('/events?severity=alarm');
  for (const to of ['', '//evil.test', '//wall', '/\\wall', 'https://evil.test', '/sign-in?to=/wall', '/nothing', 'javascript:alert(1)']) {
    expect(wantedPage(to)).toBe('/');
  }
});
