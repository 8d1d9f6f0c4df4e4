// How the wall lays its tiles, and what a tile says of itself.
import { describe, expect, it } from 'vitest';

import type { Camera } from '../src/api/types.ts';
import { arrange, commonAspect, moved, neighbour, pack, type Size } from '../src/media/arrange.ts';
import { de } from '../src/i18n/de.ts';
import { en } from '../src/i18n/en.ts';
import { pageOf, readLayouts } from '../src/pages/wall/layouts.ts';
import { iconOf, isRefusal, standing } from '../src/pages/wall/standing.ts';

const ones = (count: number): Size[] => Array.from({ length: count }, () => 1);

describe('arrange', () => {
  it.each(Array.from({ length: 36 }, (_, at) => at + 1))('fits %i tiles into the window and fills it well', (count) => {
    const [width, height] = [1400, 800];
    const laid = arrange(ones(count), width, height, 16 / 9);
    expect(laid.columns * laid.width).toBeLessThanOrEqual(width);
    expect(laid.rows * laid.height).toBeLessThanOrEqual(height);
    expect(laid.places).toHaveLength(count);
    // No other number of columns would leave larger pictures.
    for (let columns = 1; columns <= 12; columns++) {
      const { rows } = pack(ones(count), columns);
      const other = Math.min((width - 6 * (columns - 1)) / columns, ((height - 6 * (rows - 1)) / rows) * (16 / 9));
      expect(laid.width).toBeGreaterThanOrEqual(Math.floor(other));
    }
  });

  it('lays no tile on another, and fills holes beside large ones', () => {
    const sizes: Size[] = [1, 2, 1, 1, 1, 2, 1, 1];
    const { places, rows } = pack(sizes, 4);
    const cells = places.flatMap(({ column, row, size }) =>
      Array.from({ length: size * size }, (_, at) => `${column + (at % size)},${row + Math.floor(at / size)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(cells).toHaveLength(sizes.reduce<number>((sum, size) => sum + size * size, 0));
    expect(rows).toBe(4);
    expect(places[2]).toEqual({ column: 3, row: 0, size: 1 });
  });

  it('makes a large tile small where there is one column', () => {
    expect(pack([2, 1], 1).places.map((place) => place.size)).toEqual([1, 1]);
  });

  it('leads the arrows to what the eye would call next', () => {
    const { places } = pack([2, 1, 1, 1], 3);
    expect(neighbour(places, 0, 'right')).toBe(1);
    expect(neighbour(places, 1, 'down')).toBe(2);
    expect(neighbour(places, 2, 'left')).toBe(0);
    expect(neighbour(places, 0, 'left')).toBe(0);
    expect(neighbour(places, 0, 'down')).toBe(3);
  });

  it('moves one entry and keeps the order of the others', () => {
    expect(moved(['a', 'b', 'c', 'd'], 0, 2)).toEqual(['b', 'c', 'a', 'd']);
    expect(moved(['a', 'b'], 5, 0)).toEqual(['a', 'b']);
  });

  it('takes the aspect that most pictures have', () => {
    const wide = { width_px: 1920, height_px: 1080 };
    expect(commonAspect([wide, { width_px: 640, height_px: 480 }, wide, null])).toBeCloseTo(1.78);
    expect(commonAspect([])).toBeCloseTo(16 / 9);
  });
});

describe('layouts', () => {
  it('reads what can be used, whatever the preferences hold', () => {
    expect(readLayouts('nonsense')).toEqual([]);
    const stored = [{ id: 'a', name: 'Night', tiles: [{ camera: 'plaza', size: 2 }, { camera: 'plaza' }, { camera: 7 }, null] }, { id: 3 }];
    expect(readLayouts(stored)).toEqual([{ id: 'a', name: 'Night', tiles: [{ camera: 'plaza', size: 2 }] }]);
  });

  it('parts many cameras into pages', () => {
    const tiles = Array.from({ length: 80 }, (_, at) => ({ camera: `c${at}`, size: 1 as Size }));
    expect(pageOf(tiles, 1).tiles[0]!.camera).toBe('c36');
    expect(pageOf(tiles, 9)).toMatchObject({ page: 2, pages: 3 });
    expect(pageOf([], 0)).toEqual({ tiles: [], page: 0, pages: 1 });
  });
});

describe('standing', () => {
  const camera = (change: object = {}): Camera =>
    ({ name: 'plaza', state: 'recording', masking: { state: 'masked', behind_s: 0.5, step: null, covered_cause: null }, ...change }) as Camera;

  it('says what the player has seen before what the server says', () => {
    expect(standing(camera({ state: 'lost' }), 'live', 0.5)).toBe('live');
    expect(standing(camera(), 'live', 9)).toBe('behind');
    expect(standing(camera(), 'reconnecting', null)).toBe('reconnecting');
  });

  it('says why there is no picture', () => {
    expect(standing(camera({ state: 'lost' }), 'reconnecting', null)).toBe('lost');
    expect(standing(camera({ state: 'lost' }), 'paused', null)).toBe('lost');
    expect(standing(camera({ state: 'not_scheduled' }), 'connecting', null)).toBe('unavailable');
    expect(standing(camera(), 'full', null)).toBe('full');
    expect(standing(null, 'live', 0.5)).toBe('removed');
    expect(standing(undefined, 'connecting', null)).toBe('connecting');
  });

  it.each(['signed_out', 'forbidden', 'full', 'unrecorded', 'blocked'] as const)('tells %s in words, with what to do, in every language', (refusal) => {
    expect(isRefusal(refusal)).toBe(true);
    expect(standing(camera({ state: 'lost' }), refusal, null)).toBe(refusal);
    expect(iconOf(refusal)).not.toBe('eye_off');
    for (const words of [en, de]) expect([words.wall[`standing_${refusal}`], words.wall[`hint_${refusal}`]].every(Boolean)).toBe(true);
  });

  it('tells a covered picture from a masked one', () => {
    expect(standing(camera({ masking: { state: 'covered', behind_s: 0, step: null, covered_cause: 'starting' } }), 'live', 0.5)).toBe('covered');
  });
});
