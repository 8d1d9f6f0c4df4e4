// The rules book while it is edited: names, rules that follow their places, undo, mistakes at their place, the ground.
import { describe, expect, it } from 'vitest';

import { EMPTY, mistakesAt, nameMistake, needsGround, newRule, readBook, RULE_TYPES, rulesOf, typesFor, withoutPlace, withPlace, withPlaceChanged, withRule, writeBook } from '../../src/pages/rules/book.ts';
import { correspondences, metresAt, metresPerPixel, pixelAt, project } from '../../src/pages/rules/ground.ts';
import { begin, change, redo, rest, undo } from '../../src/pages/rules/history.ts';

const drawn = withPlace(withPlace(EMPTY, 'line', [[0, 0], [1, 1]]), 'zone', [[0, 0], [1, 0], [1, 1]]);

describe('a place', () => {
  it('gets a free name, across lines and zones', () => {
    expect(withPlace(drawn, 'line', []).line.map((line) => line.name)).toEqual(['line-1', 'line-2']);
    const taken = withPlaceChanged(drawn, 'zone', 0, { name: 'line-2' });
    expect(withPlace(taken, 'line', []).line[1]?.name).toBe('line-3');
  });

  it('takes its rules along when it is renamed, and with it when it goes', () => {
    const ruled = withRule(withRule(drawn, newRule(drawn, 'line_crossed', 'line-1')), newRule(drawn, 'dwell', 'zone-1'));
    const renamed = withPlaceChanged(ruled, 'line', 0, { name: 'gate' });
    expect(rulesOf(renamed, 'gate')).toHaveLength(1);
    expect(rulesOf(renamed, 'zone-1')).toHaveLength(1);
    expect(withoutPlace(renamed, 'line', 0).rule.map((rule) => rule.type)).toEqual(['dwell']);
  });

  it('has a name that the server would take', () => {
    expect(nameMistake('north-gate_2', [])).toBeNull();
    expect(nameMistake('', [])).toBe('empty');
    expect(nameMistake('North', [])).toBe('shape');
    expect(nameMistake('-a', [])).toBe('shape');
    expect(nameMistake('a', ['a'])).toBe('taken');
  });
});

describe('a rule', () => {
  it('is whole from the start, whatever its type', () => {
    expect([...typesFor('line'), ...typesFor('zone')].sort()).toEqual([...RULE_TYPES].sort());
    expect(newRule(drawn, 'queue', 'zone-1')).toMatchObject({ zone: 'zone-1', most: 5, after_s: 10 });
    expect(newRule(drawn, 'queue', 'zone-1')).not.toHaveProperty('most_m');
    expect(newRule(drawn, 'wrong_way', 'zone-1').direction?.every(([x, y]) => x > 0.5 && y > 0.2 && y < 0.5)).toBe(true);
    expect(newRule(drawn, 'crowd_density', 'zone-1').levels_per_m2).toEqual([2, 4, 5]);
    expect(newRule(drawn, 'line_crossed', 'line-1')).toMatchObject({ line: 'line-1', ways: ['forward', 'backward'] });
  });

  it('says when it needs sizes on the ground', () => {
    const rule = newRule(drawn, 'crowd_density', 'zone-1');
    expect(needsGround(drawn, rule)).toBe(true);
    expect(needsGround(withPlaceChanged(drawn, 'zone', 0, { area_m2: 40 }), rule)).toBe(false);
    expect(needsGround(drawn, { ...newRule(drawn, 'queue', 'zone-1'), most_m: 6 })).toBe(true);
  });
});

it('reads what has defaults, and sends nothing that is null', () => {
  const book = readBook({ zone: [{ name: 'a', points: [[0, 0], [1, 0], [1, 1]] }] });
  expect(book.zone[0]).toMatchObject({ anchor: 'foot', area_m2: null, kinds: ['person', 'bicycle', 'vehicle', 'object'] });
  expect(writeBook(book)).not.toHaveProperty('calibration');
  expect((writeBook(book)['zone'] as object[])[0]).not.toHaveProperty('area_m2');
});

it('finds mistakes at their place, and no neighbour’s', () => {
  const told = [
    { at: 'rules.line.1.points', problem: 'too few' },
    { at: 'body.rules.line.10.name', problem: 'taken' },
    { at: 'rules.rule.0', problem: 'needs ground' },
  ];
  expect(mistakesAt(told, 'line.1')).toEqual([{ field: 'points', problem: 'too few' }]);
  expect(mistakesAt(told, 'line.10')).toEqual([{ field: 'name', problem: 'taken' }]);
  expect(mistakesAt(told, 'rule.0')).toEqual([{ field: '', problem: 'needs ground' }]);
});

describe('history', () => {
  it('undoes and redoes, and a new change forgets what was undone', () => {
    const twice = change(change(begin(0), 1), 2);
    expect(undo(twice).now).toBe(1);
    expect(redo(undo(twice)).now).toBe(2);
    expect(redo(change(undo(twice), 3)).now).toBe(3);
    expect(undo(begin(0)).now).toBe(0);
  });

  it('undoes a drag as one', () => {
    const dragged = [1, 2, 3].reduce((history, now) => change(history, now, 'drag 1'), begin(0));
    expect(undo(dragged).now).toBe(0);
    expect(undo(change(rest(dragged), 4, 'drag 1')).now).toBe(3);
  });

  it('is bounded', () => {
    const long = Array.from({ length: 1000 }, (_, at) => at + 1).reduce((history, now) => change(history, now), begin(0));
    expect(long.past.length).toBe(200);
  });
});

describe('the ground', () => {
  it('is measured on a map image, north up, and found again there', () => {
    const perPixel = metresPerPixel({ a: [0, 0], b: [300, 400], metres: 50 })!;
    expect(perPixel).toBeCloseTo(0.1);
    expect(metresAt([100, 900], 1000, perPixel)).toEqual([10, 10]);
    expect(pixelAt([10, 10], 1000, perPixel)[1]).toBeCloseTo(900);
    expect(metresPerPixel({ a: [5, 5], b: [5, 5], metres: 50 })).toBeNull();
  });

  it('is made of whole pairs alone', () => {
    const pairs = [
      { image: [0.1, 0.1] as const, map: [0, 0] as const },
      { image: [0.1, 0.1] as const, map: [3, null] as const },
      { image: null, map: [1, 1] as const },
    ];
    expect(correspondences(pairs, false)).toEqual([{ image: [0.1, 0.1], map_m: [0, 0] }]);
    expect(correspondences(pairs, true)).toEqual([{ image: [0.1, 0.1], lat_lon: [0, 0] }]);
  });

  it('projects by the homography', () => {
    expect(project([[10, 0, 1], [0, 20, 2], [0, 0, 1]], [0.5, 0.5])).toEqual([6, 12]);
    expect(project([[1, 0, 0], [0, 1, 0], [0, 0, 0]], [0.5, 0.5])).toBeNull();
  });
});
