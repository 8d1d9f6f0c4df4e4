// Points of the ground while they are made: they outlast every look at another tool, until they are used or thrown away.
import type { Book } from './book.ts';
import type { Point } from './geometry.ts';
import { type Pair, pairsOf } from './ground.ts';

const USUAL_LIMIT_M = 1;

/** The picture shows the points and fills in the active one; the map image and its scale lie under them. */
export class GroundDraft {
  pairs = $state.raw<Pair[]>([]);
  active = $state(0);
  isLatLon = $state(false);
  /** In metres; null while the field is empty. */
  limit = $state<number | null>(USUAL_LIMIT_M);
  /** Something of it was made by hand, and is not in the book yet. */
  isTouched = $state(false);
  /** The address of the map image in this browser; empty without one. */
  map = $state('');
  size = $state.raw({ width: 1, height: 1 });
  /** Ends of the stretch whose length is known. */
  ends = $state.raw<readonly Point[]>([]);
  length = $state<number | null>(null);

  get limitM(): number {
    return this.limit ?? USUAL_LIMIT_M;
  }

  /** As the book has it; nothing that was made by hand is left. */
  fill(calibration: Book['calibration']): void {
    const points = calibration?.points ?? [];
    this.pairs = points.length ? pairsOf(points) : [{ image: null, map: null }];
    this.active = 0;
    this.isLatLon = points.some((point) => point.lat_lon != null);
    this.limit = calibration?.largest_error_m ?? USUAL_LIMIT_M;
    this.isTouched = false;
  }

  /** The tool is taken up: what was not used yet is still there. */
  takeUp(calibration: Book['calibration']): void {
    if (!this.isTouched) this.fill(calibration);
  }

  set(number: number, change: Partial<Pair>): void {
    this.pairs = this.pairs.map((pair, at) => (at === number ? { ...pair, ...change } : pair));
    this.isTouched = true;
  }

  add(): void {
    this.pairs = [...this.pairs, { image: null, map: null }];
    this.active = this.pairs.length - 1;
    this.isTouched = true;
  }

  remove(number: number): void {
    this.pairs = this.pairs.filter((_, at) => at !== number);
    this.active = Math.max(0, Math.min(this.active, this.pairs.length - 1));
    this.isTouched = true;
  }

  measureIn(isLatLon: boolean): void {
    this.isTouched ||= isLatLon !== this.isLatLon;
    this.isLatLon = isLatLon;
  }

  limitTo(metres: number | null): void {
    this.isTouched ||= metres !== this.limit;
    this.limit = metres;
  }

  /** Another map image, of which nothing is measured yet. */
  lay(map: string): void {
    this.putAway();
    this.map = map;
    this.isLatLon = false;
  }

  /** The browser need not keep the map image any longer. */
  putAway(): void {
    if (this.map) URL.revokeObjectURL(this.map);
    this.map = '';
    this.ends = [];
    this.length = null;
  }
}
