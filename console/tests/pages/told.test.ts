// What is asked for and said is what is meant: counts of the chosen places, acts in words and whole, sentences that cannot be misread.
import { describe, expect, it, vi } from 'vitest';

import { urlOf } from '../../src/api/client.ts';
import type { Act } from '../../src/api/types.ts';
import { de } from '../../src/i18n/de.ts';
import { en } from '../../src/i18n/en.ts';
import { allOf, detailName, detailsOf } from '../../src/pages/acts/table.ts';
import { askedOf } from '../../src/pages/counts/asking.ts';
import { FAMILIES } from '../../src/pages/counts/shaping.ts';

const act = (id: number): Act => ({ id: String(id), kind: 'started', at: '2026-03-10T08:00:00.000Z', actor: 'lamppost', subject: 'node', detail: {} });

it('asks for counts of each place at its camera, and for all that are chosen', () => {
  const places = Array.from({ length: 20 }, (_, at) => ({ camera: `c${at}`, place: at % 2 ? 'x & y' : 'x' }));
  const url = new URL(urlOf('/counts.csv', askedOf(places, FAMILIES.crossings, 'hour', { from: 0, to: 3_600_000 })), 'http://node');
  expect(url.searchParams.getAll('at')).toEqual(places.map(({ camera, place }) => `${camera}/${place}`));
  expect([url.searchParams.getAll('camera'), url.searchParams.getAll('place')]).toEqual([[], []]);
});

describe('acts', () => {
  it('have no label with nothing behind it', () => {
    expect(detailsOf({ tables: ['retention'], added: [], removed: [], changed: [], deaths: {}, reason: '' })).toEqual([{ key: 'tables', value: 'retention' }]);
  });

  it('are told in the words of the language, part by part', () => {
    const word = (part: string): string => ({ masked: 'maskiert', from: 'von' })[part] ?? part;
    expect(detailName('masked.from', word)).toBe('maskiert, von');
  });

  it.each(Object.entries({ en, de }))('have words for what every act tells (%s)', (_, words) => {
    for (const key of ['cameras', 'from', 'to', 'keys', 'seconds', 'reason', 'sha256', 'address', 'tables', 'grants', 'sealed', 'causes']) {
      expect(words.acts, key).toHaveProperty(`detail_${key}`);
    }
  });

  it('are all in the file that fit, page by page', async () => {
    const fetcher = vi.fn((cursor: string) => Promise.resolve(cursor ? { items: [act(3)], next: null } : { items: [act(1), act(2)], next: 'more' }));
    expect(await allOf(fetcher)).toEqual({ acts: [act(1), act(2), act(3)], isCut: false });
    expect(fetcher.mock.calls).toEqual([[''], ['more']]);
  });

  it('are a bounded number, and it is said where some are missing', async () => {
    const fetcher = vi.fn((cursor: string) => Promise.resolve({ items: [act(Number(cursor))], next: String(Number(cursor) + 1) }));
    const { acts, isCut } = await allOf(fetcher, 5);
    expect([acts.length, isCut, fetcher.mock.calls.length]).toEqual([5, true, 5]);
  });
});

it.each(Object.entries({ en, de }))('calls a limit a limit (%s)', (_, words) => {
  for (const key of ['say_occupancy', 'say_queue', 'say_queue_m'] as const) expect(words.events[key]).toMatch(/\{limit\} at most|höchstens \{limit\}/);
});
