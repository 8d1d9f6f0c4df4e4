// Lays live fragments one after the other: what is missing between two must not stop the picture.

export interface Placed {
  /** Add this to the fragment's own time to find its place in the player. */
  offsetS: number;
  startS: number;
  endS: number;
  /** Whether something was left out before it, or a new run began: what was learned of the arrival no longer holds. */
  isSeam: boolean;
}

// A browser goes on over a hole of less than two pictures by itself.
const LEAST_HOLE_S = 0.12;
const RUN_IN_S = 0.1;

/**
 * Tells where each fragment goes. Holes are closed, and a run that begins anew at nought is put behind the last one, so that
 * the player's time only ever goes on.
 */
export class Seam {
  private offsetS: number | null = null;
  private endS = RUN_IN_S;
  private isNewRun = true;

  /** A new init segment came: the times that follow have nothing to do with those before. */
  begin(): void {
    this.isNewRun = true;
  }

  place(startS: number, durationS: number): Placed {
    const isFirst = this.offsetS === null;
    const offsetS = this.offsetS ?? 0;
    const hole = startS + offsetS - this.endS;
    const isSeam = this.isNewRun || hole > Math.max(LEAST_HOLE_S, durationS * 1.5) || hole < -Math.max(LEAST_HOLE_S, durationS * 1.5);
    if (isSeam) this.offsetS = this.endS - startS;
    this.isNewRun = false;
    const placed = startS + this.offsetS!;
    this.endS = placed + durationS;
    return { offsetS: this.offsetS!, startS: placed, endS: this.endS, isSeam: isSeam || isFirst };
  }
}
