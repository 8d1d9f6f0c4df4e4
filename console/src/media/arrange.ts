// How tiles share the wall: the columns that leave the largest pictures, where each tile lies, and where the arrows lead.

export type Size = 1 | 2;

export interface Place {
  column: number;
  row: number;
  size: Size;
}

export interface Arrangement {
  columns: number;
  rows: number;
  /** Of a tile of size 1, in pixels. */
  width: number;
  height: number;
  places: Place[];
}

export type Direction = 'left' | 'right' | 'up' | 'down';

const MOST_COLUMNS = 12;
export const GAP_PX = 6;

/** Where tiles lie in so many columns: each at the first place where it fits. */
export function pack(sizes: readonly Size[], columns: number): { places: Place[]; rows: number } {
  const taken = new Set<number>();
  const isFree = (column: number, row: number, size: number): boolean => {
    if (column + size > columns) return false;
    for (let y = row; y < row + size; y++) for (let x = column; x < column + size; x++) if (taken.has(y * columns + x)) return false;
    return true;
  };
  const places = sizes.map((wanted): Place => {
    const size = Math.min(wanted, columns) as Size;
    let at = 0;
    while (!isFree(at % columns, Math.floor(at / columns), size)) at++;
    const place = { column: at % columns, row: Math.floor(at / columns), size };
    for (let y = place.row; y < place.row + size; y++) for (let x = place.column; x < place.column + size; x++) taken.add(y * columns + x);
    return place;
  });
  return { places, rows: Math.max(0, ...places.map((place) => place.row + place.size)) };
}

/** The arrangement with the largest tiles on a wall of that size; `aspect` is width by height of a picture. */
export function arrange(sizes: readonly Size[], width: number, height: number, aspect: number): Arrangement {
  let best: Arrangement = { columns: 1, rows: 0, width: 0, height: 0, places: [] };
  if (sizes.length === 0 || width <= 0 || height <= 0) return best;
  const most = Math.min(MOST_COLUMNS, sizes.reduce<number>((sum, size) => sum + size, 0));
  for (let columns = 1; columns <= most; columns++) {
    const { places, rows } = pack(sizes, columns);
    const byWidth = (width - GAP_PX * (columns - 1)) / columns;
    const byHeight = ((height - GAP_PX * (rows - 1)) / rows) * aspect;
    const tile = Math.floor(Math.min(byWidth, byHeight));
    // Of two that are as large, the one with fewer rows of holes.
    if (tile > best.width) best = { columns, rows, width: tile, height: Math.floor(tile / aspect), places };
  }
  return best;
}

/** One below the other, for a phone. */
export function stack(count: number, width: number, aspect: number): Arrangement {
  const places = Array.from({ length: count }, (_, row): Place => ({ column: 0, row, size: 1 }));
  return { columns: 1, rows: count, width, height: Math.floor(width / aspect), places };
}

/** The tile that lies next in a direction; the same one where there is none. */
export function neighbour(places: readonly Place[], from: number, direction: Direction): number {
  const start = places[from];
  if (!start) return places.length ? 0 : -1;
  let best = { at: from, cost: Infinity };
  for (const [at, place] of places.entries()) {
    const away = beyond(start, place, direction);
    if (at === from || away < 0) continue;
    const isAcross = direction === 'up' || direction === 'down';
    const aside = isAcross ? middle(place.column, place.size) - middle(start.column, start.size) : middle(place.row, place.size) - middle(start.row, start.size);
    const cost = away + Math.abs(aside) * 3;
    if (cost < best.cost) best = { at, cost };
  }
  return best.at;
}

/** How far a place begins beyond the edge of another; negative where it is not beyond it. */
function beyond(start: Place, place: Place, direction: Direction): number {
  if (direction === 'left') return start.column - (place.column + place.size);
  if (direction === 'right') return place.column - (start.column + start.size);
  if (direction === 'up') return start.row - (place.row + place.size);
  return place.row - (start.row + start.size);
}

function middle(at: number, size: number): number {
  return at + size / 2;
}

/** The list with one entry moved to another place. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const result = [...list];
  const [taken] = result.splice(from, 1);
  if (taken !== undefined) result.splice(to, 0, taken);
  return result;
}

/** The aspect that most pictures have. */
export function commonAspect(pictures: readonly ({ width_px: number; height_px: number } | null)[]): number {
  const counts = new Map<number, number>();
  for (const picture of pictures) {
    if (!picture?.width_px || !picture.height_px) continue;
    const aspect = Math.round((picture.width_px / picture.height_px) * 100) / 100;
    counts.set(aspect, (counts.get(aspect) ?? 0) + 1);
  }
  const [best] = [...counts].sort((a, b) => b[1] - a[1]);
  return best ? Math.min(3, Math.max(0.5, best[0])) : 16 / 9;
}
