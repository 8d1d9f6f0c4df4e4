// The one clock that all cameras of a playback follow: UTC that goes on at a speed, stands still, and waits for pictures.

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;

/** `nowMs` is a monotonic clock; positions are milliseconds of UTC since 1970. */
export class MasterClock {
  rate = 1;
  isPlaying = false;
  /** Whether it waits for pictures, though it is playing. */
  isHeld = false;
  private anchorMs: number;
  private anchoredMs: number;

  constructor(positionMs: number, nowMs: number) {
    this.anchorMs = positionMs;
    this.anchoredMs = nowMs;
  }

  get isRunning(): boolean {
    return this.isPlaying && !this.isHeld;
  }

  at(nowMs: number): number {
    return this.isRunning ? this.anchorMs + (nowMs - this.anchoredMs) * this.rate : this.anchorMs;
  }

  seek(positionMs: number, nowMs: number): void {
    this.anchorMs = positionMs;
    this.anchoredMs = nowMs;
  }

  setRate(rate: number, nowMs: number): void {
    this.seek(this.at(nowMs), nowMs);
    this.rate = Math.min(SPEEDS.at(-1)!, Math.max(SPEEDS[0], rate));
  }

  play(nowMs: number): void {
    this.seek(this.at(nowMs), nowMs);
    this.isPlaying = true;
  }

  pause(nowMs: number): void {
    this.seek(this.at(nowMs), nowMs);
    this.isPlaying = false;
  }

  hold(isHeld: boolean, nowMs: number): void {
    if (isHeld === this.isHeld) return;
    this.seek(this.at(nowMs), nowMs);
    this.isHeld = isHeld;
  }
}

/** The next faster or slower speed. */
export function nextSpeed(rate: number, direction: 1 | -1): number {
  const at = SPEEDS.findIndex((speed) => speed >= rate);
  return SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, (at < 0 ? SPEEDS.length - 1 : at) + direction))]!;
}

// So many times 1x of one camera a machine of today decodes without trouble.
const MOST_DECODED = 16;

/** Whether so many cameras at that speed are shown by their keyframes alone. */
export function isSparse(rate: number, cameras: number): boolean {
  return rate >= 8 && rate * cameras > MOST_DECODED;
}
