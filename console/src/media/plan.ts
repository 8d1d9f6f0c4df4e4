// Which bytes to fetch next: what is needed now by itself, then more and more at once, ahead of the position.
import type { Clip, Reel } from './reel.ts';

/** One request: clips that lie one after the other in one file. */
export interface Fetch {
  clips: Clip[];
  offset: number;
  length: number;
}

export interface Planned {
  atMs: number;
  rate: number;
  isPlaying: boolean;
  /** Keyframes alone: one clip for every picture that will be shown. */
  isSparse: boolean;
  has: (clip: Clip) => boolean;
}

export const SPARSE_STEP_MS = 250;
const SPARSE_AHEAD = 5;
const LEAST_AHEAD_MS = 4000;
const MOST_AHEAD_MS = 40_000;
const PAUSED_AHEAD_MS = 3000;
export const MOST_AHEAD_BYTES = 16 << 20;
const MOST_FETCH_BYTES = 1 << 20;
const MOST_FETCH_CLIPS = 8;

/** How far ahead of the position is fetched. */
export function aheadMs(rate: number, isPlaying: boolean): number {
  if (!isPlaying) return PAUSED_AHEAD_MS;
  return Math.min(MOST_AHEAD_MS, Math.max(LEAST_AHEAD_MS, LEAST_AHEAD_MS * rate));
}

/** The next request; null when all that is wanted is there. */
export function plan(reel: Reel, planned: Planned): Fetch | null {
  if (planned.isSparse) return planSparse(reel, planned);
  let aheadBytes = 0;
  let isFirst = true;
  let fetch: Fetch | null = null;
  for (const clip of reel.run(planned.atMs, planned.atMs + aheadMs(planned.rate, planned.isPlaying))) {
    aheadBytes += clip.length;
    // What is shown now is fetched whatever its size.
    if (!isFirst && aheadBytes > MOST_AHEAD_BYTES) break;
    const had = planned.has(clip);
    if (had) {
      if (fetch) break;
    } else if (!fetch) {
      fetch = { clips: [clip], offset: clip.offset, length: clip.length };
      if (isFirst) return fetch;
    } else if (!join(fetch, clip)) break;
    isFirst = false;
  }
  return fetch;
}

function join(fetch: Fetch, clip: Clip): boolean {
  const last = fetch.clips.at(-1)!;
  const isNext = last.part.id === clip.part.id && last.offset + last.length === clip.offset;
  if (!isNext || fetch.clips.length >= MOST_FETCH_CLIPS || fetch.length + clip.length > MOST_FETCH_BYTES) return false;
  fetch.clips.push(clip);
  fetch.length += clip.length;
  return true;
}

function planSparse(reel: Reel, { atMs, rate, has }: Planned): Fetch | null {
  for (let step = 0; step <= SPARSE_AHEAD; step++) {
    const clip = reel.at(sparseMs(atMs, rate) + step * SPARSE_STEP_MS * rate);
    if (clip && !has(clip)) return { clips: [clip], offset: clip.offset, length: clip.length };
  }
  return null;
}

/** The moment whose picture stands for all of its step, so that all cameras show the same one. */
export function sparseMs(atMs: number, rate: number): number {
  const step = SPARSE_STEP_MS * rate;
  return Math.floor(atMs / step) * step;
}
