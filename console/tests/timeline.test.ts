// Time across the page, what is laid on it, and when a reason is asked.
import { describe, expect, it } from 'vitest';

import type { Timeline } from '../src/api/types.ts';
import { SiteClock } from '../src/app/clock.ts';
import { digestOf } from '../src/pages/timeline/exporting.ts';
import { happenings, nextEvent } from '../src/pages/timeline/happenings.ts';
import { bars, marks, nextRecorded, under } from '../src/pages/timeline/lanes.ts';
import { held, length, LONGEST_MS, panned, revealed, SHORTEST_MS, stepFor, ticks, toMs, toX, zoomed } from '../src/pages/timeline/scale.ts';
import { needsReason, viewSpan } from '../src/pages/timeline/watching.svelte.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 28, 12, 0, 0);
const berlin = new SiteClock('Europe/Berlin', 'en');
const iso = (at: number): string => new Date(at).toISOString();

describe('scale', () => {
  const day = { fromMs: NOW - DAY, toMs: NOW };

  it('keeps the moment under the pointer where it is', () => {
    const anchor = NOW - 6 * HOUR;
    const closer = zoomed(day, 2, anchor, NOW);
    expect(length(closer)).toBe(DAY / 2);
    expect(toX(anchor, closer, 1000)).toBeCloseTo(toX(anchor, day, 1000));
  });

  it('shows between ten seconds and a month, and hardly anything that is to come', () => {
    expect(length(zoomed(day, 1e9, NOW - HOUR, NOW))).toBe(SHORTEST_MS);
    expect(length(zoomed(day, 1e-9, NOW - HOUR, NOW))).toBe(LONGEST_MS);
    expect(panned(day, 90 * DAY, NOW).toMs).toBeLessThanOrEqual(NOW + DAY * 0.05);
    expect(length(held({ fromMs: 5, toMs: 1 }, NOW))).toBe(SHORTEST_MS);
  });

  it('moves only where a moment is out of view', () => {
    expect(revealed(day, NOW - HOUR * 5, NOW)).toBe(day);
    const moved = revealed(day, NOW - 3 * DAY, NOW);
    expect(toX(NOW - 3 * DAY, moved, 100)).toBeCloseTo(50);
  });

  it('is the same there and back', () => {
    expect(toMs(toX(NOW - 1234567, day, 777), day, 777)).toBeCloseTo(NOW - 1234567, 3);
  });

  it('has marks that do not touch, at round times of the site', () => {
    for (const size of [10_000, 60_000, HOUR, 6 * HOUR, DAY, 7 * DAY, 31 * DAY]) {
      const stretch = { fromMs: NOW - size, toMs: NOW };
      expect((stepFor(stretch, 1200) / size) * 1200).toBeGreaterThanOrEqual(84);
      const found = ticks(stretch, 1200, berlin);
      expect(found.length).toBeGreaterThan(2);
      for (const tick of found) if (size >= DAY) expect(berlin.wall(tick.atMs).minute).toBe(0);
    }
  });

  it('counts the hours of the day on which the clocks go back', () => {
    const stretch = { fromMs: Date.UTC(2026, 9, 24, 22), toMs: Date.UTC(2026, 9, 25, 23) };
    const found = ticks(stretch, 800, berlin).map((tick) => berlin.format(tick.atMs, 'time'));
    expect(new Set(found).size).toBe(found.length - 1); // midnight twice: it begins and ends the day
    expect(found).toContain('12:00');
  });

  it('marks each midnight as the day that begins', () => {
    const major = ticks({ fromMs: NOW - 2 * DAY, toMs: NOW }, 1000, berlin).filter((tick) => tick.isMajor);
    expect(major.map((tick) => tick.label)).toEqual(['Fri, Nov 27', 'Sat, Nov 28']);
  });
});

function timeline(change: Partial<Timeline> = {}): Timeline {
  return { from: iso(NOW - DAY), to: iso(NOW), spans: [], gaps: [], covered: [], forgotten: [], reductions: [], events: [], event_density: null, ...change };
}
const stretch = { fromMs: NOW - DAY, toMs: NOW };
const event = (id: string, at: number, severity: 'info' | 'warning' | 'alarm' = 'info'): Timeline['events'][number] => ({
  id,
  type: 'dwell',
  severity,
  from: iso(at),
  to: iso(at + 1000),
});

describe('lanes', () => {
  it('shows a gap of a second in a month', () => {
    const month = { fromMs: NOW - 31 * DAY, toMs: NOW };
    const [gap] = bars(timeline({ gaps: [{ id: 'g', cause: 'stopped', from: iso(NOW - DAY), to: iso(NOW - DAY + 1000), detail: '' }] }), month, 1000, NOW);
    expect(gap).toMatchObject({ band: 'gap', word: 'stopped' });
    expect(gap!.width).toBeGreaterThanOrEqual(2);
  });

  it('lets what lasts end now, and cuts what reaches beyond the page', () => {
    const [gap] = bars(timeline({ gaps: [{ id: 'g', cause: 'stopped', from: iso(NOW - 40 * DAY), to: null, detail: '' }] }), stretch, 1000, NOW - DAY / 2);
    expect([gap!.x, gap!.width]).toEqual([0, 500]);
  });

  it('joins marks that would lie on each other, and keeps the worst', () => {
    const at = NOW - DAY / 2;
    const found = marks(timeline({ events: [event('a', at), event('b', at + 60_000, 'alarm'), event('c', at + 3 * HOUR, 'warning')] }), stretch, 1000);
    expect(found.map((mark) => [mark.count, mark.severity])).toEqual([
      [2, 'alarm'],
      [1, 'warning'],
    ]);
    expect(found[0]!.ids).toEqual(['a', 'b']);
  });

  it('counts where the server only told how many', () => {
    const found = marks(timeline({ event_density: [{ from: iso(NOW - HOUR), count: 40, worst: 'warning' }] }), stretch, 1000);
    expect(found).toMatchObject([{ count: 40, severity: 'warning' }]);
  });

  it('finds what lies under the pointer, a mark and a gap before all', () => {
    const told = timeline({
      events: [event('a', NOW - DAY / 2)],
      covered: [{ from: iso(NOW - DAY), to: iso(NOW), cause: 'starting' }],
      gaps: [{ id: 'g', cause: 'stopped', from: iso(NOW - DAY / 2 - HOUR), to: iso(NOW - DAY / 2 + HOUR), detail: '' }],
    });
    const [all, some] = [bars(told, stretch, 1000, NOW), marks(told, stretch, 1000)];
    expect(under(503, all, some)).toMatchObject({ mark: { ids: ['a'] }, bar: { band: 'gap' } });
    expect(under(900, all, some)).toMatchObject({ mark: null, bar: { band: 'covered' } });
  });

  it('knows where the recording goes on', () => {
    const told = timeline({ spans: [{ from: iso(NOW - 5 * HOUR), to: iso(NOW - 4 * HOUR), kind: 'masked' }] });
    expect(nextRecorded([told, null], NOW - 9 * HOUR)).toBe(NOW - 5 * HOUR);
    expect(nextRecorded([told], NOW - 4.5 * HOUR)).toBe(NOW - 4.5 * HOUR);
    expect(nextRecorded([told], NOW - HOUR)).toBeNull();
  });
});

describe('happenings', () => {
  const told = { plaza: timeline({ events: [event('a', NOW - HOUR), event('b', NOW - 2 * HOUR)], gaps: [{ id: 'g', cause: 'stopped', from: iso(NOW - 90 * 60_000), to: null, detail: '' }] }) };

  it('lists all that the timeline shows, in the order of time', () => {
    expect(happenings(told, stretch).list.map((each) => each.what)).toEqual(['event', 'gap', 'event']);
    expect(happenings(told, { fromMs: NOW - DAY, toMs: NOW - 3 * HOUR }).list).toEqual([]);
  });

  it('says how many it does not list', () => {
    const dense = { plaza: timeline({ event_density: [{ from: iso(NOW - HOUR), count: 700, worst: 'info' }] }) };
    expect(happenings(dense, stretch)).toEqual({ list: [], more: 700 });
  });

  it('goes from event to event', () => {
    const all = Object.values(told);
    expect(nextEvent(all, NOW - 2 * HOUR, 1)).toBe(NOW - HOUR);
    expect(nextEvent(all, NOW - HOUR, -1)).toBe(NOW - 2 * HOUR);
    expect(nextEvent(all, NOW, 1)).toBeNull();
  });
});

describe('views', () => {
  it('ask for no more than needs no reason, where that is enough', () => {
    const span = viewSpan(NOW - HOUR, { fromMs: NOW - 31 * DAY, toMs: NOW }, NOW);
    expect(needsReason(1, span.fromMs, NOW)).toBe(false);
    expect(span.fromMs).toBeLessThan(NOW - HOUR);
    expect(span.toMs).toBeGreaterThan(NOW - HOUR);
  });

  it('hold the moment, and are a day or so at most', () => {
    for (const at of [NOW - 10 * DAY, NOW - DAY - 1000, NOW - 5000]) {
      for (const size of [10_000, HOUR, DAY, 31 * DAY]) {
        const span = viewSpan(at, { fromMs: at - size / 2, toMs: at + size / 2 }, NOW);
        expect(span.fromMs).toBeLessThan(at);
        expect(span.toMs).toBeGreaterThan(at);
        expect(span.toMs - span.fromMs).toBeLessThanOrEqual(1.5 * DAY);
      }
    }
  });

  it('need a reason for what is old, and for several cameras', () => {
    expect(needsReason(1, NOW - DAY + 1000, NOW)).toBe(false);
    expect(needsReason(1, NOW - DAY - 1000, NOW)).toBe(true);
    expect(needsReason(2, NOW - 1000, NOW)).toBe(true);
  });
});

describe('digestOf', () => {
  it('writes the digest as the acts do', () => {
    expect(digestOf('sha-256=:AQL/:')).toBe('0102ff');
    expect(digestOf(null)).toBe('');
  });
});
