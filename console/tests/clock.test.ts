// Times are those of the site, through every change of its clocks.
import { describe, expect, it } from 'vitest';

import { bytes, duration, SiteClock } from '../src/app/clock.ts';
import { timeOfDay } from '../src/app/timeofday.ts';

const berlin = new SiteClock('Europe/Berlin', 'en');
const at = (text: string): number => Date.parse(text);

describe('the zone of the site', () => {
  it('is told in 24 hours whatever the zone of the browser', () => {
    expect(berlin.format('2026-01-15T23:05:09Z', 'time_s')).toBe('00:05:09');
    expect(berlin.format('2026-07-15T12:00:00Z', 'time')).toBe('14:00');
    expect(new SiteClock('America/New_York', 'de').format('2026-07-15T12:00:00Z', 'date_time')).toContain('15. Juli 2026');
    expect(berlin.format(null)).toBe('–');
    expect(berlin.format('nonsense')).toBe('–');
    expect(berlin.zoneName(at('2026-07-15T12:00:00Z'))).toBe('GMT+2');
  });

  it('goes into a field and comes back out of it', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia']) {
      const clock = new SiteClock(zone);
      // Every 7 h 13 min of a year, so that all changes of the clocks are met.
      for (let moment = at('2026-01-01T00:00:00Z'); moment < at('2027-01-01T00:00:00Z'); moment += 25_980_000) {
        const back = clock.fromInput(clock.toInput(moment))!;
        // An hour that comes twice is the first of the two.
        expect([0, 1_800_000, 3_600_000]).toContain(moment - back);
        expect(clock.toInput(back)).toBe(clock.toInput(moment));
      }
    }
  });

  it('takes the first of two hours, and moves one that never comes', () => {
    expect(berlin.fromInput('2026-10-25T02:30:00')).toBe(at('2026-10-25T00:30:00Z'));
    expect(berlin.fromInput('2026-03-29T02:30:00')).toBe(at('2026-03-29T01:30:00Z'));
    expect(berlin.fromInput('2026-03-29')).toBeNull();
  });

  it('has days of 23 and 25 hours', () => {
    const start = berlin.startOfDay('2026-03-29T12:00:00Z');
    expect(start).toBe(at('2026-03-28T23:00:00Z'));
    expect(berlin.startOfDay(start, 1) - start).toBe(23 * 3_600_000);
    const autumn = berlin.startOfDay('2026-10-25T12:00:00Z');
    expect(berlin.startOfDay(autumn, 1) - autumn).toBe(25 * 3_600_000);
    expect(berlin.startOfDay('2026-03-01T12:00:00Z', -1)).toBe(at('2026-02-27T23:00:00Z'));
  });
});

it('goes by the clock of the server', () => {
  const clock = new SiteClock('UTC', 'en', () => 1_000_000);
  clock.learn(1_060_000);
  expect(clock.nowMs()).toBe(1_060_000);
});

it('says how long ago in the unit that tells enough', () => {
  const now = at('2026-11-28T12:00:00Z');
  expect(berlin.relative('2026-11-28T11:59:40Z', now)).toBe('20 seconds ago');
  expect(berlin.relative('2026-11-28T11:40:00Z', now)).toBe('20 minutes ago');
  expect(berlin.relative('2026-11-28T15:00:00Z', now)).toBe('in 3 hours');
  expect(berlin.relative('2026-11-27T12:00:00Z', now)).toBe('yesterday');
});

it('says durations and sizes as people do', () => {
  expect([duration(7), duration(65), duration(7500), duration(90_000), duration(-1)]).toEqual(['7 s', '1 min 05 s', '2 h 05 min', '1 d 1 h', '0 s']);
  expect([bytes(0), bytes(999), bytes(1500), bytes(1_400_000_000_000)]).toEqual(['0 B', '999 B', '1.5 kB', '1.4 TB']);
});

it.each([
  ['9:5', '09:05:00'],
  ['905', '09:05:00'],
  ['0905', '09:05:00'],
  ['9.05', '09:05:00'],
  ['23', '23:00:00'],
  ['235959', '23:59:59'],
  ['7:05:09', '07:05:09'],
  ['', '00:00:00'],
  ['24:00', null],
  ['25:99', null],
  ['12:', null],
  ['9 pm', null],
  ['1:2:3:4', null],
])('takes %j for the time %j', (typed, time) => {
  expect(timeOfDay(typed)).toBe(time);
});
