// Lines and zones as they are drawn: what is refused, where forward is, what snaps.
import { describe, expect, it } from 'vitest';

import {
  area,
  doCross,
  forwardArrow,
  headingOf,
  isInside,
  labelPoint,
  mistakeOf,
  movedAll,
  nearestOnEdge,
  type Point,
  selfCrossing,
  settled,
  snapped,
} from '../../src/pages/rules/geometry.ts';

const WIDE = 16 / 9;
const square: Point[] = [
  [0.2, 0.2],
  [0.6, 0.2],
  [0.6, 0.6],
  [0.2, 0.6],
];
const bow: Point[] = [square[0]!, square[2]!, square[1]!, square[3]!];

describe('a zone', () => {
  it('may not cross itself', () => {
    expect(selfCrossing(square)).toBeNull();
    expect(selfCrossing(bow)).toEqual([0, 2]);
    expect(mistakeOf(bow, true)).toBe('crossing');
    expect(mistakeOf(square, true)).toBeNull();
  });

  it('encloses something', () => {
    expect(area(square)).toBeCloseTo(0.16);
    expect(mistakeOf([[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], true)).toBe('empty');
    expect(mistakeOf([[0.1, 0.1], [0.5, 0.5]], true)).toBe('few_points');
  });

  it('may touch itself, as the server allows', () => {
    expect(doCross([[0, 0], [1, 0]], [[0.5, 0], [0.5, 1]])).toBe(false);
  });

  it('has its name inside, also where it is bent', () => {
    const bent: Point[] = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.8, 0.9], [0.8, 0.2], [0.1, 0.2]];
    expect(isInside(bent, labelPoint(bent))).toBe(true);
    for (const share of labelPoint(square)) expect(share).toBeCloseTo(0.4);
  });

  it('is moved as a whole, and keeps its shape at the border', () => {
    expect(movedAll(square, 0.9, 0)).toEqual([[0.6, 0.2], [1, 0.2], [1, 0.6], [0.6, 0.6]]);
    expect(movedAll(square, 0, -0.9)[0]).toEqual([0.2, 0]);
  });
});

describe('a line', () => {
  it('goes forward from left to right for who looks along it', () => {
    // Whoever looks to the right of the picture has its lower edge at the right hand.
    expect(headingOf(forwardArrow([[0.2, 0.5], [0.8, 0.5]], WIDE)!, WIDE)).toBe('down');
    expect(headingOf(forwardArrow([[0.8, 0.5], [0.2, 0.5]], WIDE)!, WIDE)).toBe('up');
    expect(headingOf(forwardArrow([[0.5, 0.9], [0.5, 0.1]], WIDE)!, WIDE)).toBe('right');
    expect(headingOf(forwardArrow([[0.5, 0.1], [0.5, 0.9]], WIDE)!, WIDE)).toBe('left');
  });

  it('has its arrow square across it and in its middle, in a picture that is wider than high', () => {
    const points: Point[] = [[0.1, 0.2], [0.5, 0.9]];
    const arrow = forwardArrow(points, WIDE, 0.2)!;
    const [ax, ay] = [(arrow.to[0] - arrow.from[0]) * WIDE, arrow.to[1] - arrow.from[1]];
    expect(ax * (0.4 * WIDE) + ay * 0.7).toBeCloseTo(0);
    expect(Math.hypot(ax, ay)).toBeCloseTo(0.2);
    expect((arrow.from[0] + arrow.to[0]) / 2).toBeCloseTo(0.3);
  });

  it('needs two points that are apart', () => {
    expect(mistakeOf([[0.5, 0.5]], false)).toBe('few_points');
    expect(mistakeOf([[0.5, 0.5], [0.501, 0.501]], false)).toBe('same_points');
    expect(forwardArrow([[0.5, 0.5], [0.5, 0.5]], WIDE)).toBeNull();
  });
});

describe('a point', () => {
  it('stays within the picture', () => expect(settled([-0.2, 1.00004])).toEqual([0, 1]));

  it('snaps to others, to the border, and to angles', () => {
    expect(snapped([0.205, 0.204], square, 1, 0.02)).toEqual({ point: [0.2, 0.2], to: 'point' });
    expect(snapped([0.99, 0.4], [], 1, 0.02)).toEqual({ point: [1, 0.4], to: 'border' });
    expect(snapped([0.4, 0.4], square, 1, 0.02)).toEqual({ point: [0.4, 0.4], to: null });
    expect(snapped([0.8, 0.52], [], 1, 0.02, [0.2, 0.5]).point).toEqual([0.8, 0.5]);
    // 45 degrees on the screen, not in shares.
    const steep = snapped([0.5, 0.9], [], WIDE, 0.02, [0.2, 0.4]).point;
    expect((steep[0] - 0.2) * WIDE).toBeCloseTo(steep[1] - 0.4, 3);
  });

  it('goes into the edge that it is nearest to, the last one too', () => {
    expect(nearestOnEdge(square, true, [0.4, 0.21], 1)).toMatchObject({ after: 0, distance: expect.closeTo(0.01) });
    expect(nearestOnEdge(square, true, [0.19, 0.4], 1)?.after).toBe(3);
    expect(nearestOnEdge(square, false, [0.19, 0.4], 1)?.after).not.toBe(3);
    expect(nearestOnEdge([[0.5, 0.5]], false, [0.1, 0.1], 1)).toBeNull();
  });
});
