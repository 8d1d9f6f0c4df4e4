// Points of a camera's picture, as shares of its width and height from the left top corner, and what lines and zones are made of.

export type Point = readonly [number, number];

/** How wide the picture is for its height: shares alone know no angles. */
export type Aspect = number;

const LEAST_LENGTH = 0.005;
const LEAST_AREA = 0.0002;
const DIGITS = 10_000;

/** Within the picture, and no finer than a pixel of the largest one. */
export function settled([x, y]: Point): Point {
  const share = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * DIGITS) / DIGITS;
  return [share(x), share(y)];
}

export function moved([x, y]: Point, dx: number, dy: number): Point {
  return settled([x + dx, y + dy]);
}

/** All points by the same way, and no further than to the edge of the picture: the shape stays what it is. */
export function movedAll(points: readonly Point[], dx: number, dy: number): Point[] {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const rightX = Math.min(1 - Math.max(...xs), Math.max(-Math.min(...xs), dx));
  const rightY = Math.min(1 - Math.max(...ys), Math.max(-Math.min(...ys), dy));
  return points.map((point) => moved(point, rightX, rightY));
}

/** How far two points are apart, in heights of the picture. */
export function distance(a: Point, b: Point, aspect: Aspect): number {
  return Math.hypot((a[0] - b[0]) * aspect, a[1] - b[1]);
}

export type Edge = readonly [Point, Point];

/** The edges of a polygon, the last back to its first corner; of an open line, those between its points. */
export function edges(points: readonly Point[], isClosed: boolean): Edge[] {
  const found: Edge[] = [];
  for (let at = 0; at + 1 < points.length; at++) found.push([points[at]!, points[at + 1]!]);
  if (isClosed && points.length > 2) found.push([points[points.length - 1]!, points[0]!]);
  return found;
}

function side([a, b]: Edge, point: Point): number {
  return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
}

/** Whether two edges cross, and do not only touch: as the server tells it. */
export function doCross(one: Edge, other: Edge): boolean {
  return side(one, other[0]) * side(one, other[1]) < 0 && side(other, one[0]) * side(other, one[1]) < 0;
}

/** The first two edges of a polygon that cross each other; null where none do. */
export function selfCrossing(points: readonly Point[]): [number, number] | null {
  const around = edges(points, true);
  for (let first = 0; first < around.length; first++) {
    for (let second = first + 2; second < around.length; second++) {
      const areNeighbours = first === 0 && second === around.length - 1;
      if (!areNeighbours && doCross(around[first]!, around[second]!)) return [first, second];
    }
  }
  return null;
}

/** The area that a polygon encloses, as a share of the picture. */
export function area(points: readonly Point[]): number {
  const twice = points.reduce((sum, a, at) => {
    const b = points[(at + 1) % points.length]!;
    return sum + a[0] * b[1] - b[0] * a[1];
  }, 0);
  return Math.abs(twice / 2);
}

export type ShapeMistake = 'crossing' | 'empty' | 'same_points' | 'few_points';

/** What the server would refuse of a shape; null where it is all right. */
export function mistakeOf(points: readonly Point[], isClosed: boolean): ShapeMistake | null {
  if (points.length < (isClosed ? 3 : 2)) return 'few_points';
  if (isClosed) {
    if (selfCrossing(points)) return 'crossing';
    return area(points) < LEAST_AREA ? 'empty' : null;
  }
  const isShort = ([a, b]: Edge): boolean => Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) < LEAST_LENGTH;
  return edges(points, false).some(isShort) ? 'same_points' : null;
}

export interface OnEdge {
  /** The point goes in behind the corner of this number. */
  after: number;
  point: Point;
  distance: number;
}

/** The place on a shape that is nearest to a point; null for a shape without edges. */
export function nearestOnEdge(points: readonly Point[], isClosed: boolean, point: Point, aspect: Aspect): OnEdge | null {
  let best: OnEdge | null = null;
  for (const [after, [a, b]] of edges(points, isClosed).entries()) {
    const [dx, dy] = [(b[0] - a[0]) * aspect, b[1] - a[1]];
    const length2 = dx * dx + dy * dy;
    const along = length2 ? ((point[0] - a[0]) * aspect * dx + (point[1] - a[1]) * dy) / length2 : 0;
    const share = Math.min(1, Math.max(0, along));
    const at: Point = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
    const apart = distance(at, point, aspect);
    if (!best || apart < best.distance) best = { after, point: at, distance: apart };
  }
  return best;
}

export interface Arrow {
  from: Point;
  to: Point;
}

/**
 * The way that counts as forward, drawn across the middle of a line: from left to right for who stands on its first
 * point and looks along it. `length` is in heights of the picture.
 */
export function forwardArrow(points: readonly Point[], aspect: Aspect, length = 0.1): Arrow | null {
  const parts = edges(points, false);
  const whole = parts.reduce((sum, [a, b]) => sum + distance(a, b, aspect), 0);
  if (!whole) return null;
  let left = whole / 2;
  for (const [a, b] of parts) {
    const long = distance(a, b, aspect);
    if (left > long || !long) {
      left -= long;
      continue;
    }
    const share = left / long;
    const middle: Point = [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
    // The picture's y points down, so what is right of a way (dx, dy) is (-dy, dx).
    const [dx, dy] = [((b[0] - a[0]) * aspect) / long, (b[1] - a[1]) / long];
    const [rx, ry] = [(-dy * length) / 2 / aspect, (dx * length) / 2];
    return { from: [middle[0] - rx, middle[1] - ry], to: [middle[0] + rx, middle[1] + ry] };
  }
  return null;
}

/** Where people on the picture would say that forward goes: the nearest of four. */
export function headingOf({ from, to }: Arrow, aspect: Aspect): 'left' | 'right' | 'up' | 'down' {
  const [dx, dy] = [(to[0] - from[0]) * aspect, to[1] - from[1]];
  if (Math.abs(dx) >= Math.abs(dy)) return dx < 0 ? 'left' : 'right';
  return dy < 0 ? 'up' : 'down';
}

/** Whether a point lies in a polygon. */
export function isInside(points: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  for (const [a, b] of edges(points, true)) {
    if (a[1] > y !== b[1] > y && x < ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]) + a[0]) inside = !inside;
  }
  return inside;
}

/** A place for a zone's name that lies in the zone, also where it is bent. */
export function labelPoint(points: readonly Point[]): Point {
  const count = Math.max(1, points.length);
  const mean: Point = [points.reduce((sum, [x]) => sum + x, 0) / count, points.reduce((sum, [, y]) => sum + y, 0) / count];
  if (points.length < 3 || isInside(points, mean)) return mean;
  // Across the height of the mean, the middle of the widest part that is inside.
  const xs = edges(points, true)
    .filter(([a, b]) => a[1] > mean[1] !== b[1] > mean[1])
    .map(([a, b]) => a[0] + ((mean[1] - a[1]) / (b[1] - a[1])) * (b[0] - a[0]))
    .sort((a, b) => a - b);
  let best: Point = mean;
  let widest = 0;
  for (let at = 0; at + 1 < xs.length; at += 2) {
    const width = xs[at + 1]! - xs[at]!;
    if (width > widest) [widest, best] = [width, [(xs[at]! + xs[at + 1]!) / 2, mean[1]]];
  }
  return best;
}

export interface Snapped {
  point: Point;
  /** What it was drawn to; null where it stayed. */
  to: 'point' | 'border' | 'angle' | null;
}

/** Draw a point to others near it, to the border of the picture, or (with `from`) to an angle of 45° steps. */
export function snapped(point: Point, others: readonly Point[], aspect: Aspect, within: number, from: Point | null = null): Snapped {
  if (from) {
    const [dx, dy] = [(point[0] - from[0]) * aspect, point[1] - from[1]];
    const step = Math.PI / 4;
    const angle = Math.round(Math.atan2(dy, dx) / step) * step;
    const long = dx * Math.cos(angle) + dy * Math.sin(angle);
    return { point: settled([from[0] + (long * Math.cos(angle)) / aspect, from[1] + long * Math.sin(angle)]), to: 'angle' };
  }
  let nearest: Point | null = null;
  for (const other of others) {
    if (distance(other, point, aspect) <= within && (!nearest || distance(other, point, aspect) < distance(nearest, point, aspect))) nearest = other;
  }
  if (nearest) return { point: nearest, to: 'point' };
  const x = point[0] * aspect < within ? 0 : (1 - point[0]) * aspect < within ? 1 : point[0];
  const y = point[1] < within ? 0 : 1 - point[1] < within ? 1 : point[1];
  return { point: settled([x, y]), to: x !== point[0] || y !== point[1] ? 'border' : null };
}

/** The height of the view box that the stage is drawn in; its width is `aspect` times that. */
export const VIEW_PX = 1000;

export function svgX(point: Point, aspect: Aspect): number {
  return point[0] * aspect * VIEW_PX;
}

export function svgY(point: Point): number {
  return point[1] * VIEW_PX;
}

/** As an SVG path or polygon wants it, in that view box. */
export function svgPoints(points: readonly Point[], aspect: Aspect): string {
  return points.map((point) => `${svgX(point, aspect).toFixed(1)},${svgY(point).toFixed(1)}`).join(' ');
}
