// The walls that a person has saved by name, as they stand in the preferences.
import type { Size } from '../../media/arrange.ts';

export interface TileSpot {
  camera: string;
  size: Size;
}

export interface Layout {
  id: string;
  name: string;
  tiles: TileSpot[];
}

export const ALL_CAMERAS = 'all';
/** More than these are on further pages. */
export const TILES_A_PAGE = 36;
export const MOST_LAYOUTS = 30;
const MOST_TILES = 144;
const MOST_NAME = 60;

/** What the preferences hold, as far as it can be used: they may be of another version, or written by hand. */
export function readLayouts(stored: unknown): Layout[] {
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((each: unknown) => readLayout(each) ?? []).slice(0, MOST_LAYOUTS);
}

/** All that is stored, also what only another version can use: it is not ours to remove. */
export function storedLayouts(stored: unknown): unknown[] {
  return Array.isArray(stored) ? stored : [];
}

/** With one of them changed, as it is now; where somebody has removed it meanwhile, as we knew it. */
export function withLayout(stored: unknown, known: Layout, how: (layout: Layout) => Layout): unknown[] {
  const all = storedLayouts(stored);
  if (!all.some((each) => idOf(each) === known.id)) return [...all, how(known)];
  return all.map((each) => (idOf(each) === known.id ? how(readLayout(each) ?? known) : each));
}

export function idOf(stored: unknown): unknown {
  return (stored as { id?: unknown } | null)?.id;
}

function readLayout(stored: unknown): Layout | null {
  if (typeof stored !== 'object' || stored === null) return null;
  const { id, name, tiles } = stored as Record<string, unknown>;
  if (typeof id !== 'string' || typeof name !== 'string' || !Array.isArray(tiles)) return null;
  const seen = new Set<string>();
  const spots = tiles.flatMap((each: unknown): TileSpot[] => {
    const { camera, size } = (each ?? {}) as Record<string, unknown>;
    if (typeof camera !== 'string' || seen.has(camera)) return [];
    seen.add(camera);
    return [{ camera, size: size === 2 ? 2 : 1 }];
  });
  return { id, name: name.slice(0, MOST_NAME), tiles: spots.slice(0, MOST_TILES) };
}

/** The tiles of a page; the last page that there is, where fewer are left. */
export function pageOf(tiles: readonly TileSpot[], page: number): { tiles: TileSpot[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(tiles.length / TILES_A_PAGE));
  const at = Math.min(Math.max(0, page), pages - 1);
  return { tiles: tiles.slice(at * TILES_A_PAGE, (at + 1) * TILES_A_PAGE), page: at, pages };
}
