// What pages make of what the server says: CSV that runs nothing, changes that touch nothing else, spans in words.
import { describe, expect, it } from 'vitest';

import type { Act } from '../src/api/types.ts';
import { csvOf, detailsOf } from '../src/pages/acts/table.ts';
import { keptFor } from '../src/pages/privacy/plain.ts';
import { changeOf, GROUPS, valuesOf } from '../src/pages/settings/fields.ts';

const act = (change: Partial<Act>): Act => ({ id: '1', kind: 'hold_placed', at: '2026-11-28T06:00:00.000Z', actor: 'mara', subject: 'plaza', detail: {}, ...change });

describe('acts', () => {
  it('have details that can be read, whatever is in them', () => {
    expect(detailsOf({ cameras: ['a', 'b'], span: { from: 1, to: 2 }, reason: '', none: null, deep: [{ x: 1 }] })).toEqual([
      { key: 'cameras', value: 'a, b' },
      { key: 'span.from', value: '1' },
      { key: 'span.to', value: '2' },
      { key: 'deep', value: '[{"x":1}]' },
    ]);
  });

  it('become a CSV in which quotes, commas and lines stay where they are', () => {
    const text = csvOf([act({ subject: 'a "big", place', detail: { reason: 'one\ntwo' } })]);
    expect(text).toBe(
      'at,kind,actor,subject,detail,id\r\n2026-11-28T06:00:00.000Z,hold_placed,mara,"a ""big"", place","reason: one\ntwo",1\r\n',
    );
  });

  it.each(['=HYPERLINK("x")', '+1', '-1', '@SUM(A1)', '\t=1'])('never become a formula: %j', (name) => {
    expect(csvOf([act({ actor: name })]).split('\r\n')[1]).toMatch(/^[^,]+,hold_placed,"?'/);
  });
});

describe('the configuration', () => {
  const tables = { site: 'Old Town', timezone: 'UTC', masking: { preset: 'motion', look_back_s: 0.5, secret: 1 }, retention: { sealed_days: 3 } };

  it('is changed only where something differs', () => {
    const before = valuesOf(tables);
    expect(changeOf(before, { ...before })).toEqual({});
    expect(changeOf(before, { ...before, site: 'Harbour', 'masking.look_back_s': 1, 'masking.preset': 'all' })).toEqual({
      site: 'Harbour',
      masking: { look_back_s: 1, preset: 'all' },
    });
    // An emptied field goes back to its default.
    expect(changeOf(before, { ...before, 'retention.sealed_days': null })).toEqual({ retention: { sealed_days: null } });
  });

  it('offers nothing that the server does not let be changed', () => {
    const tablesOffered = new Set(GROUPS.flatMap((group) => group.fields.map((field) => field.at.split('.')[0])));
    expect([...tablesOffered].sort()).toEqual(['analysis', 'masking', 'recording', 'retention', 'site', 'timezone']);
  });
});

it('says spans in the unit that needs no fraction', () => {
  expect([3, 1, 1.5, 0.5, 0.01, 2.25].map(keptFor)).toEqual([
    { n: 3, unit: 'days' },
    { n: 1, unit: 'days' },
    { n: 36, unit: 'hours' },
    { n: 12, unit: 'hours' },
    { n: 14.4, unit: 'minutes' },
    { n: 2.3, unit: 'days' },
  ]);
  expect(keptFor(null)).toBeNull();
});
