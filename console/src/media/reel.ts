// What is recorded of one camera around the position, as the server's media manifests tell: fragments, gaps, covered spans.
import type { Media, MediaPart } from '../api/types.ts';

export interface Clip {
  key: string;
  part: MediaPart;
  offset: number;
  length: number;
  fromMs: number;
  toMs: number;
  decodeTicks: number;
}

export interface Hole {
  fromMs: number;
  toMs: number;
  cause: string;
}

/** From when to when. */
export interface Reach {
  fromMs: number;
  toMs: number;
}

interface Window {
  fromMs: number;
  toMs: number;
  /** By the server's clock. */
  fetchedMs: number;
  clips: Clip[];
  gaps: Hole[];
  covered: { fromMs: number; toMs: number }[];
}

export const WINDOW_MS = 5 * 60_000;
const MOST_WINDOWS = 24;
// Until then a window may still grow: pictures are masked some time after they were taken.
const SETTLED_MS = 30_000;
const STALE_MS = 1500;
// Between two fragments lies no gap where a few milliseconds are lost to rounding.
const JOINT_MS = 80;

/** Asked for by windows of five minutes; holds a bounded number of them, those around the position. */
export class Reel {
  private windows: Window[] = [];

  take(media: Media, fetchedMs: number, atMs: number): void {
    const fromMs = Date.parse(media.from);
    const window: Window = {
      fromMs,
      toMs: Date.parse(media.to),
      fetchedMs,
      clips: media.parts.flatMap(clipsOf).sort((a, b) => a.fromMs - b.fromMs),
      gaps: media.gaps.map((gap) => ({ fromMs: Date.parse(gap.from), toMs: gap.to ? Date.parse(gap.to) : Infinity, cause: gap.cause })),
      covered: media.covered.map((span) => ({ fromMs: Date.parse(span.from), toMs: span.to ? Date.parse(span.to) : Infinity })),
    };
    const others = this.windows.filter((each) => each.fromMs !== fromMs);
    this.windows = [...others, window].sort((a, b) => a.fromMs - b.fromMs);
    while (this.windows.length > MOST_WINDOWS) {
      const [first, last] = [this.windows[0]!, this.windows.at(-1)!];
      if (atMs - first.toMs > last.fromMs - atMs) this.windows.shift();
      else this.windows.pop();
    }
  }

  clear(): void {
    this.windows = [];
  }

  knows(atMs: number): boolean {
    return this.windowAt(atMs) !== undefined;
  }

  /** The window to ask for next so that all from `fromMs` to `toMs` is known, as far as `limit` reaches; null when it is. */
  missing(fromMs: number, toMs: number, nowMs: number, limit: Reach): Reach | null {
    const endMs = Math.min(toMs, limit.toMs, nowMs);
    for (let at = Math.max(floor(fromMs), limit.fromMs); at < endMs; at = floor(at) + WINDOW_MS) {
      const window = this.windowAt(at);
      const isGrowing = window && window.fetchedMs < window.toMs + SETTLED_MS;
      // Only what is near its end can have grown since.
      const isAtEnd = window && toMs > (window.clips.at(-1)?.toMs ?? window.fromMs) - 4000;
      const isStale = isGrowing && isAtEnd && nowMs - window.fetchedMs > STALE_MS;
      if (!window || isStale) return { fromMs: at, toMs: Math.min(floor(at) + WINDOW_MS, limit.toMs) };
    }
    return null;
  }

  /** What is shown at that moment. */
  at(atMs: number): Clip | null {
    const clip = this.last((each) => each.fromMs <= atMs);
    return clip && atMs < clip.toMs + JOINT_MS ? clip : null;
  }

  /** The first that begins at or after a moment. */
  next(atMs: number): Clip | null {
    for (const window of this.windows) {
      if (window.toMs <= atMs) continue;
      const clip = window.clips.find((each) => each.fromMs >= atMs);
      if (clip) return clip;
    }
    return null;
  }

  previous(beforeMs: number): Clip | null {
    return this.last((each) => each.fromMs < beforeMs);
  }

  /** Clips in a row from the one at `atMs` on, until `untilMs`. */
  run(atMs: number, untilMs: number): Clip[] {
    const clips: Clip[] = [];
    for (let clip = this.at(atMs) ?? this.next(atMs); clip && clip.fromMs < untilMs; clip = this.next(clip.fromMs + 1)) clips.push(clip);
    return clips;
  }

  gapAt(atMs: number): Hole | null {
    return this.windowAt(atMs)?.gaps.find((gap) => gap.fromMs <= atMs && atMs < gap.toMs) ?? null;
  }

  isCovered(atMs: number): boolean {
    return this.windowAt(atMs)?.covered.some((span) => span.fromMs <= atMs && atMs < span.toMs) ?? false;
  }

  private windowAt(atMs: number): Window | undefined {
    return this.windows.find((each) => each.fromMs <= atMs && atMs < each.toMs);
  }

  private last(fits: (clip: Clip) => boolean): Clip | null {
    for (let at = this.windows.length - 1; at >= 0; at--) {
      const clips = this.windows[at]!.clips;
      let [low, high] = [0, clips.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (fits(clips[middle]!)) low = middle + 1;
        else high = middle;
      }
      if (low > 0) return clips[low - 1]!;
    }
    return null;
  }
}

function floor(atMs: number): number {
  return Math.floor(atMs / WINDOW_MS) * WINDOW_MS;
}

function clipsOf(part: MediaPart): Clip[] {
  return part.fragments.map(([offset, length, fromMs, durationMs, decodeTicks]) => ({
    key: `${part.id}/${offset}`,
    part,
    offset,
    length,
    fromMs,
    toMs: fromMs + durationMs,
    decodeTicks,
  }));
}
