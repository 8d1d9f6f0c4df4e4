// Knows when the picture that is on the screen was taken: the player tells its media time, `prft` told the wall time of it.

const MOST_MARKS = 600;

export class Shown {
  private marks: { mediaS: number; wallMs: number }[] = [];

  /** A picture at `mediaS` of the player was taken at `wallMs` UTC. In the order of arrival. */
  mark(mediaS: number, wallMs: number): void {
    this.marks.push({ mediaS, wallMs });
    if (this.marks.length > MOST_MARKS) this.marks.splice(0, this.marks.length - MOST_MARKS);
  }

  /** When the picture shown at `mediaS` was taken; null where that is not known. */
  wallMs(mediaS: number): number | null {
    let [low, high] = [0, this.marks.length - 1];
    // The last mark at or before it. A browser tells times in microseconds: half a millisecond of room.
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.marks[middle]!.mediaS <= mediaS + 0.0005) low = middle;
      else high = middle - 1;
    }
    const mark = this.marks[low];
    return mark && Math.abs(mark.mediaS - mediaS) < 2 ? mark.wallMs : null;
  }

  clear(): void {
    this.marks = [];
  }
}
