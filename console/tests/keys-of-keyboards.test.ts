// Keys press what has the focus first; what is turned off writes a character; AltGr is part of writing one.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keys, type Shortcut } from '../src/app/keys.svelte.ts';

class Thing {
  isContentEditable = false;
  constructor(readonly tagName: string) {}
}

interface Held {
  on?: string;
  ctrlKey?: boolean;
  altKey?: boolean;
  altGraph?: boolean;
}

function press(key: string, { on = 'body', altGraph = false, ...held }: Held = {}): KeyboardEvent {
  return { key, target: new Thing(on), preventDefault: vi.fn(), getModifierState: (name: string) => name === 'AltGraph' && altGraph, ...held } as unknown as KeyboardEvent;
}

/** Which of these keys of a page did something. */
function done(...events: KeyboardEvent[]): string[] {
  const ran: string[] = [];
  const page = ['Enter', ' ', 'Escape', 'ArrowLeft', 'Home', '[', 'j'].map((key): Shortcut => ({ key, label: key, run: () => void ran.push(key) }));
  keys.page = [() => page];
  for (const event of events) keys.handle(event, vi.fn());
  keys.page = [];
  return ran;
}

beforeEach(() => {
  vi.stubGlobal('document', { querySelector: () => null });
  vi.stubGlobal('HTMLElement', Thing);
});
afterEach(() => {
  keys.turn(true);
  vi.unstubAllGlobals();
});

describe('what has the focus', () => {
  it.each(['a', 'button', 'summary'])('is pressed by Enter and space where it is %s', (on) => {
    const events = [press('Enter', { on }), press(' ', { on })];
    expect(done(...events)).toEqual([]);
    for (const event of events) expect(event.preventDefault).not.toHaveBeenCalled();
  });

  it('leaves both to the page where nothing can be pressed', () => {
    expect(done(press('Enter'), press(' '))).toEqual(['Enter', ' ']);
  });

  it('leaves all other keys to the page', () => {
    expect(done(press('Escape', { on: 'button' }), press('j', { on: 'a' }))).toEqual(['Escape', 'j']);
  });
});

it('keeps arrows, Home, Enter and Escape when single keys are off', () => {
  keys.turn(false);
  expect(done(press('ArrowLeft'), press('Home'), press('Enter'), press('Escape'), press('j'), press('['), press(' '))).toEqual(['ArrowLeft', 'Home', 'Enter', 'Escape']);
});

describe('AltGr', () => {
  it('writes a bracket, as Windows and Linux tell it', () => {
    expect(done(press('[', { ctrlKey: true, altKey: true, altGraph: true }), press('[', { altGraph: true }))).toEqual(['[', '[']);
  });

  it('does not make a key of the page of what belongs to the browser', () => {
    expect(done(press('[', { altKey: true }), press('j', { ctrlKey: true }), press('ArrowLeft', { altKey: true }), press('ArrowLeft', { altKey: true, altGraph: true }))).toEqual([]);
  });
});
