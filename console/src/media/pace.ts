// Keeps a live picture as young as the network lets it be: plays a little faster or slower, and jumps when it is far behind.

export interface Pacing {
  rate: number;
  /** Where to go at once; null where the rate does it. */
  jumpTo: number | null;
}

// So many arrivals are remembered: some seconds of pictures, over which the quickest one sets the measure.
const MOST_ARRIVALS = 300;
const REMEMBERED_MS = 8000;
const LEAST_MARGIN_S = 0.02;
const MOST_MARGIN_S = 1.2;
const FAR_S = 1.5;
// At the begin of a stream nobody minds a jump, and catching up by rate would take seconds.
const FAR_AT_FIRST_S = 0.15;
const AT_FIRST_MS = 1500;
const NEAR_S = 0.012;
const FASTEST = 1.1;
const SLOWEST = 0.97;
// After a standstill the margin grows by so much, and shrinks again by this share a second: one picture that comes late is
// hardly seen, and must not make all that follow old.
const STALL_S = 0.01;
const MOST_STALL_S = 0.25;
const HEALING_PER_S = 0.08;
const LATE_SHARE = 0.93;
// What comes at first is what the server had in store, sent at once: it says nothing of the network.
const STORE_MS = 300;

/**
 * Learns from when fragments come. The quickest of the last seconds tells how media time and wall time belong together;
 * how much later others came tells the margin that is needed. Times are of one monotonic clock.
 */
export class Pace {
  private arrivals: { atMs: number; delayMs: number }[] = [];
  private begunMs: number | null = null;
  private stallS = 0;
  private healedMs = 0;

  /** A seam: earlier arrivals belong to another timeline. What was learned of standstills is kept. */
  restart(): void {
    this.arrivals = [];
    this.begunMs = null;
  }

  arrived(mediaStartS: number, nowMs: number): void {
    this.begunMs ??= nowMs;
    if (nowMs - this.begunMs < STORE_MS) this.arrivals = [];
    this.arrivals.push({ atMs: nowMs, delayMs: nowMs - mediaStartS * 1000 });
    while (this.arrivals.length > MOST_ARRIVALS || nowMs - this.arrivals[0]!.atMs > REMEMBERED_MS) this.arrivals.shift();
  }

  /** The player stood still for want of pictures. */
  stalled(nowMs: number): void {
    // At the begin it always does.
    if (this.begunMs === null || nowMs - this.begunMs < AT_FIRST_MS) return;
    this.heal(nowMs);
    this.stallS = Math.min(MOST_STALL_S, this.stallS + STALL_S);
  }

  /** How far behind the quickest possible picture we stay, so that late ones still come in time. */
  marginS(nowMs: number): number {
    this.heal(nowMs);
    const least = this.leastDelayMs();
    if (least === null) return LEAST_MARGIN_S + this.stallS;
    const late = this.arrivals.map((each) => each.delayMs - least).sort((a, b) => a - b);
    const usual = late[Math.min(late.length - 1, Math.floor(late.length * LATE_SHARE))]! / 1000;
    return Math.min(MOST_MARGIN_S, LEAST_MARGIN_S + Math.max(usual, this.stallS));
  }

  /** Where the player should be now; null before anything came. */
  wantedS(nowMs: number): number | null {
    const least = this.leastDelayMs();
    return least === null ? null : (nowMs - least) / 1000 - this.marginS(nowMs);
  }

  /** What to do for a player at `currentS` whose buffer holds `startS` to `endS`. */
  pace(currentS: number, startS: number, endS: number, nowMs: number): Pacing {
    const wanted = this.wantedS(nowMs);
    if (wanted === null) return { rate: 1, jumpTo: null };
    // Nothing to play there (yet): what is nearest.
    const target = Math.min(Math.max(wanted, startS), endS - 0.001);
    const farS = this.begunMs !== null && nowMs - this.begunMs < AT_FIRST_MS ? FAR_AT_FIRST_S : FAR_S;
    if (currentS < startS - 0.001 || target - currentS > farS) return { rate: 1, jumpTo: target };
    if (currentS - wanted > FAR_S) return { rate: 1, jumpTo: target };
    const error = wanted - currentS;
    if (Math.abs(error) < NEAR_S) return { rate: 1, jumpTo: null };
    return { rate: Math.min(FASTEST, Math.max(SLOWEST, 1 + error * 0.5)), jumpTo: null };
  }

  private leastDelayMs(): number | null {
    let least: number | null = null;
    for (const each of this.arrivals) if (least === null || each.delayMs < least) least = each.delayMs;
    return least;
  }

  private heal(nowMs: number): void {
    const seconds = Math.max(0, nowMs - this.healedMs) / 1000;
    this.stallS *= (1 - HEALING_PER_S) ** Math.min(seconds, 300);
    this.healedMs = nowMs;
  }
}
