// Where points of a map image lie on the ground: the person says how long one stretch of it is, and the rest follows.
import type { Correspondence } from './book.ts';
import type { Point } from './geometry.ts';

/** A stretch on the map image, in its pixels, and how long it is on the ground. */
export interface Scale {
  a: Point;
  b: Point;
  metres: number;
}

export function metresPerPixel({ a, b, metres }: Scale): number | null {
  const pixels = Math.hypot(a[0] - b[0], a[1] - b[1]);
  return pixels > 1 && metres > 0 ? metres / pixels : null;
}

/** East and north in metres of a pixel of the map image; its left bottom corner is the origin, and north is up. */
export function metresAt([x, y]: Point, heightPx: number, perPixel: number): [number, number] {
  const round = (value: number): number => Math.round(value * 1000) / 1000;
  return [round(x * perPixel), round((heightPx - y) * perPixel)];
}

export function pixelAt([east, north]: readonly [number, number], heightPx: number, perPixel: number): Point {
  return [east / perPixel, heightPx - north / perPixel];
}

/** A pair while it is being made: either of its points may still be missing. */
export interface Pair {
  image: Point | null;
  /** East and north, or latitude and longitude; while they are typed one may be missing. */
  map: readonly [number | null, number | null] | null;
}

export function pairsOf(points: readonly Correspondence[]): Pair[] {
  return points.map(({ image, map_m, lat_lon }) => ({ image, map: map_m ?? lat_lon ?? null }));
}

/** The pairs that are whole; `isLatLon` says what their numbers are. */
export function correspondences(pairs: readonly Pair[], isLatLon: boolean): Correspondence[] {
  return pairs.flatMap(({ image, map }) => {
    const place = wholeMap(map);
    if (!image || !place) return [];
    return [isLatLon ? { image, lat_lon: place } : { image, map_m: place }];
  });
}

/** Both numbers of a place on the map; null while one is missing. */
export function wholeMap(map: Pair['map']): readonly [number, number] | null {
  const [first, second] = map ?? [null, null];
  return first === null || second === null ? null : [first, second];
}

/** Where a point of the picture lies on the ground, by the homography that the check answers with. */
export function project(homography: readonly (readonly number[])[], [x, y]: Point): [number, number] | null {
  const [east, north, scale] = homography.map((row) => row[0]! * x + row[1]! * y + row[2]!);
  if (east === undefined || north === undefined || !scale) return null;
  return [east / scale, north / scale];
}
