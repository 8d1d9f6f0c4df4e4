// The list of events keeps still under the reader; every event is told in one plain sentence.
import { describe, expect, it } from 'vitest';

import type { Event } from '../../src/api/types.ts';
import { SiteClock } from '../../src/app/clock.ts';
import { belongs, byDay, caughtUp, type Filters, neighbour, NOTHING, paged, released, told } from '../../src/pages/events/feed.ts';
import { sentenceOf, TYPES, typeName } from '../../src/pages/events/sentence.ts';

const NONE: Filters = { camera: '', site: '', type: '', severity: '', state: '', rule: '', from: '', to: '' };

function event(id: string, more: Partial<Event> = {}): Event {
  return {
    id, type: 'dwell', severity: 'warning', camera: 'plaza', site: 'Old Town', rule: 'long', place: 'bench', kind: 'person', count: 1,
    value: null, unit: null, limit: null, level: null, ways: [], note: '', started: `2026-03-10T08:00:${id.padStart(2, '0')}.000Z`,
    ended: null, snapshot: null, acknowledged: null, comments: 0, ...more,
  };
}

describe('the list', () => {
  const shown = paged(NOTHING, [event('3'), event('1')], true);

  it('moves nothing when something new comes', () => {
    const after = told(shown, event('5'), true);
    expect(after.items).toBe(shown.items);
    expect(after.waiting.map((each) => each.id)).toEqual(['5']);
    expect(released(after).items.map((each) => each.id)).toEqual(['5', '3', '1']);
    expect(released(after).waiting).toEqual([]);
  });

  it('changes what is shown in its place, also when it does not fit any more', () => {
    const after = told(shown, event('1', { ended: '2026-03-10T09:00:00.000Z' }), false);
    expect(after.items.map((each) => [each.id, each.ended !== null])).toEqual([['3', false], ['1', true]]);
  });

  it('keeps one of each that waits, the newest word of it', () => {
    const twice = told(told(shown, event('5'), true), event('5', { severity: 'alarm' }), true);
    expect(twice.waiting).toHaveLength(1);
    expect(twice.waiting[0]!.severity).toBe('alarm');
    expect(told(twice, event('5'), false).waiting).toEqual([]);
  });

  it('keeps a bounded number, and says so', () => {
    const many = Array.from({ length: 600 }, (_, at) => event(`x${at}`)).reduce((so, each) => told(so, each, true), shown);
    expect(many.waiting).toHaveLength(500);
    expect(many.hasLostSome).toBe(true);
  });

  it('puts older pages behind, and nothing twice', () => {
    expect(paged(shown, [event('1'), event('0')], false).items.map((each) => each.id)).toEqual(['3', '1', '0']);
  });

  it('finds what it missed while it was away', () => {
    const after = caughtUp(shown, [event('9'), event('8'), event('3', { comments: 2 })]);
    expect(after.waiting.map((each) => each.id)).toEqual(['9', '8']);
    expect(after.items[0]!.comments).toBe(2);
  });

  it('steps to neighbours and ends at the ends', () => {
    expect(neighbour(shown.items, '', 1)?.id).toBe('3');
    expect(neighbour(shown.items, '3', 1)?.id).toBe('1');
    expect(neighbour(shown.items, '1', 1)).toBeNull();
    expect(neighbour(shown.items, '3', -1)).toBeNull();
  });

  it('is parted by the days of the site, not of UTC', () => {
    const vienna = new SiteClock('Europe/Vienna');
    const late = event('a', { started: '2026-03-10T23:30:00.000Z' });
    const days = byDay([late, event('b', { started: '2026-03-10T22:30:00.000Z' }), event('2')], (at) => vienna.startOfDay(at));
    expect(days.map((day) => day.items.map((each) => each.id))).toEqual([['a'], ['b', '2']]);
  });
});

describe('filters', () => {
  it.each<[Partial<Filters>, boolean]>([
    [{}, true],
    [{ camera: 'plaza' }, true],
    [{ camera: 'gate' }, false],
    [{ type: 'queue' }, false],
    [{ severity: 'warning', state: 'open' }, true],
    [{ state: 'acknowledged' }, false],
    [{ state: 'unacknowledged' }, true],
    [{ from: '2026-03-10T08:00:05.000Z' }, false],
    [{ to: '2026-03-10T08:00:01.000Z' }, false],
    [{ rule: 'long' }, true],
  ])('%o: %s', (wanted, fits) => expect(belongs(event('1'), { ...NONE, ...wanted }, null)).toBe(fits));

  it('know the cameras of a site, and that the node has none', () => {
    expect(belongs(event('1'), { ...NONE, site: 'old' }, ['plaza'])).toBe(true);
    expect(belongs(event('1'), { ...NONE, site: 'old' }, ['gate'])).toBe(false);
    expect(belongs(event('1', { camera: null }), { ...NONE, site: 'old' }, ['plaza'])).toBe(false);
  });
});

describe('a sentence', () => {
  it('is plain, with all that is known', () => {
    const say = (more: Partial<Event>): string => sentenceOf(event('1', more));
    expect(say({ type: 'line_crossed', place: 'gate', count: 3, ways: ['forward'] })).toBe('3 people across gate, forward');
    expect(say({ type: 'line_crossed', place: 'gate', kind: null, count: 1, ways: [] })).toBe('Something across gate');
    expect(say({ type: 'line_crossed', place: 'gate', kind: 'bicycle', count: 2, ways: ['forward', 'backward'] })).toBe('2 bicycles across gate, both ways');
    expect(say({ type: 'occupancy', place: 'hall', count: 37, value: 37, unit: '', limit: 30 })).toBe('37 people in hall; 30 at most');
    expect(say({ type: 'crowd_density', place: 'stairs', value: 4.36, unit: 'per_m2', level: 2 })).toBe('Crowd in stairs: 4.4/m², step 2');
    expect(say({ type: 'queue', place: 'till', value: 12.34, unit: 'm', limit: 8 })).toBe('Queue in till of 12.3 m; 8 m at most');
    expect(say({ type: 'dwell', value: 432, unit: 's' })).toBe('A person in bench for 7 min 12 s');
    expect(say({ type: 'camera_lost', camera: 'gate' })).toBe('gate cannot be reached');
  });

  it('has no gap where a value is not known', () => {
    expect(sentenceOf(event('1', { type: 'dwell' }))).toBe('A person stays in bench');
    for (const type of TYPES) {
      const said = sentenceOf(event('1', { type, value: 3, unit: 's', limit: 2, level: 1 }));
      expect(said, type).not.toMatch(/[{}]|undefined|null|NaN|events\./);
      expect(typeName(type), type).not.toContain('_');
    }
  });

  it('tells of a type that is not known yet', () => {
    expect(sentenceOf(event('1', { type: 'bench_wet' }))).toBe('Bench wet: bench');
  });
});
