// One camera of a playback: fetches fragments ahead of the master clock, and keeps its element in step with it.
import { api, isAborted, type Problem, toProblem, urlOf } from '../api/client.ts';
import type { Media } from '../api/types.ts';
import { rfc3339 } from '../app/clock.ts';
import { readFragments } from './boxes.ts';
import { aheadMs, type Fetch, plan, sparseMs } from './plan.ts';
import { type Clip, type Hole, type Reach, Reel } from './reel.ts';
import { canPlay, Sink } from './sink.ts';

export type DeckStatus = 'ready' | 'loading' | 'gap' | 'edge' | 'failed' | 'unplayable';

export interface DeckFacts {
  camera: string;
  status: DeckStatus;
  gap: Hole | null;
  isCovered: boolean;
  problem: Problem | null;
}

/** What a deck needs to know of the playback that it is part of. */
export interface Following {
  atMs: number;
  rate: number;
  isPlaying: boolean;
  /** Whether the clock goes on right now; it does not while it waits for pictures. */
  isRunning: boolean;
  isSparse: boolean;
}

export interface DeckOptions {
  video: HTMLVideoElement;
  camera: string;
  /** The moment that is nought on the element's timeline. */
  baseMs: number;
  /** What pictures are asked with; null where nothing may be asked (yet). */
  view: () => PlaybackView | null;
  nowMs: () => number;
}

/** A view of the API, and the time that it holds. */
export interface PlaybackView extends Reach {
  id: string;
}

const TICKS_PER_MS = 90;
// The element's timeline: long enough for what is kept, so that any moment of it can be gone to before it is there.
const TIMELINE_S = 800 * 86_400;
const MOST_HELD_BYTES = 48 << 20;
const MOST_INITS = 32;
const START_HEADROOM_MS = 250;
const RUN_HEADROOM_MS = 30;
const JUMP_S = 0.3;
const STEADY_S = 0.008;
const RETRY_MS = [500, 1500, 4000];
// After these the picture says that it failed, and is tried again all the same: the server may be away for long.
const FAILED_RETRY_MS = 10_000;
// What a browser may lose of a time between our number and its own.
const NUDGE_S = 0.0015;
const TAIL_S = 0.1;
const MANIFEST_AHEAD_MS = 10_000;

export class Deck {
  readonly reel = new Reel();
  readonly camera: string;
  /** How far the picture is off the clock, in milliseconds; null while it is not playing. */
  driftMs: number | null = null;
  problem: Problem | null = null;
  /** Bytes fetched so far, for tests and measurements. */
  fetchedBytes = 0;
  private sink: Sink | null = null;
  private held = new Map<string, { clip: Clip; framesMs: number[] }>();
  private heldBytes = 0;
  private readonly inits = new Map<string, ArrayBuffer>();
  private lastPart = '';
  private offsets = new Map<string, number>();
  private fetching: { clips: Clip[]; giveUp: AbortController } | null = null;
  private asking: AbortController | null = null;
  private failures = 0;
  private retryAtMs = 0;
  private isUnplayable = false;
  private isClosed = false;

  constructor(private readonly options: DeckOptions) {
    this.camera = options.camera;
    options.video.muted = true;
    options.video.playsInline = true;
  }

  close(): void {
    this.isClosed = true;
    this.fetching?.giveUp.abort();
    this.asking?.abort();
    this.sink?.close();
  }

  /** Forget what went wrong and ask again: the person wants it, or there is another view now. */
  retry(): void {
    this.asking?.abort();
    this.asking = null;
    this.reel.clear();
    this.problem = null;
    this.failures = 0;
    this.retryAtMs = 0;
  }

  /** The server is back: whatever was no refusal is tried again now. */
  hurry(): void {
    if (this.problem && isFinal(this.problem)) return;
    this.problem = null;
    this.failures = 0;
    this.retryAtMs = 0;
  }

  /** The position has jumped: what is on its way and not needed there is given up. */
  sought(atMs: number): void {
    const isNeeded = this.fetching?.clips.some((clip) => clip.fromMs <= atMs && atMs < clip.toMs + aheadMs(1, false));
    if (!isNeeded) this.fetching?.giveUp.abort();
    if (!this.reel.knows(atMs)) this.asking?.abort();
  }

  /** Ask for what is missing around the clock. To be called again and again. */
  want(following: Following): void {
    const nowMs = performance.now();
    if (this.isClosed || (this.problem && isFinal(this.problem)) || this.isUnplayable || nowMs < this.retryAtMs) return;
    const serverMs = this.options.nowMs();
    const untilMs = following.atMs + Math.max(MANIFEST_AHEAD_MS, aheadMs(following.rate, following.isPlaying));
    const view = this.options.view();
    if (!view) return;
    const window = this.reel.missing(following.atMs - 1000, untilMs, serverMs, view);
    if (window && !this.asking) void this.ask(window, view.id, following.atMs);
    if (this.fetching) return;
    const fetch = plan(this.reel, { ...following, has: (clip) => this.has(clip) });
    if (fetch) void this.fetch(fetch, following.atMs);
  }

  status({ atMs, isRunning, isSparse }: Following): DeckStatus {
    if (this.isUnplayable) return 'unplayable';
    if (this.problem) return 'failed';
    if (!this.reel.knows(atMs)) return atMs >= this.options.nowMs() ? 'edge' : 'loading';
    const clip = this.reel.at(atMs);
    if (!clip) {
      if (this.reel.gapAt(atMs)) return 'gap';
      // The newest pictures are still being made; anything older that is not there will not come.
      return atMs > this.options.nowMs() - 6000 && !this.reel.next(atMs) ? 'edge' : 'gap';
    }
    if (isSparse) return 'ready';
    if (!this.has(clip)) return 'loading';
    return this.isReady(clip, atMs, isRunning ? RUN_HEADROOM_MS : START_HEADROOM_MS) ? 'ready' : 'loading';
  }

  /** Whether the clock may go on at a moment: there is enough after it, or nothing more to wait for. */
  private isReady(clip: Clip, atMs: number, headroomMs: number): boolean {
    // The last picture may end somewhat before its clip does, and stays until the next one.
    const span = this.sink?.spanAt(this.toS(atMs)) ?? this.sink?.spanAt(this.toS(atMs) - TAIL_S);
    if (!span) return false;
    if (span.endS * 1000 - this.toS(atMs) * 1000 >= headroomMs) return true;
    const next = this.reel.next(clip.fromMs + 1);
    if (!next || next.fromMs > clip.toMs + TAIL_S * 1000) return true;
    return this.has(next) && this.sink?.spanAt(this.toS(next.fromMs) + NUDGE_S) != null;
  }

  facts(following: Following): DeckFacts {
    const status = this.status(following);
    return {
      camera: this.camera,
      status,
      gap: status === 'gap' ? this.reel.gapAt(following.atMs) : null,
      isCovered: this.reel.isCovered(following.atMs),
      problem: this.problem,
    };
  }

  /** Keep the element in step with the clock. */
  follow(following: Following): void {
    const { video } = this.options;
    this.driftMs = null;
    delete video.dataset['driftMs'];
    video.dataset['deck'] = this.status(following);
    const atMs = following.isSparse ? Math.max(sparseMs(following.atMs, following.rate), 0) : following.atMs;
    const wantedS = this.toS(atMs) + NUDGE_S;
    const span = this.sink?.spanAt(wantedS);
    if (!this.sink || !span || video.seeking) {
      if (!span) video.pause();
      return;
    }
    this.evict(following.atMs);
    const error = wantedS - video.currentTime;
    if (!following.isRunning || following.isSparse) {
      video.pause();
      if (Math.abs(error) > 0.001) video.currentTime = wantedS;
      return;
    }
    this.driftMs = error * 1000;
    video.dataset['driftMs'] = this.driftMs.toFixed(1);
    if (Math.abs(error) > JUMP_S * Math.max(1, following.rate)) video.currentTime = wantedS;
    const nudge = Math.abs(error) < STEADY_S * following.rate ? 0 : Math.min(0.15, Math.max(-0.15, error / following.rate));
    const rate = following.rate * (1 + nudge);
    if (Math.abs(video.playbackRate - rate) > 0.002) video.playbackRate = rate;
    if (video.paused) video.play().catch(() => undefined);
  }

  /** When the picture begins that follows the one shown at a moment; null where it is not known (yet). */
  frameAfter(atMs: number): number | null {
    return this.frames(atMs).find((frame) => frame > atMs + 1) ?? null;
  }

  /** When the picture begins that is before the one shown at a moment. */
  frameBefore(atMs: number): number | null {
    return this.frames(atMs).filter((frame) => frame <= atMs + 1).at(-2) ?? null;
  }

  /** Fetch a clip now, for a step backwards. */
  async load(clip: Clip): Promise<void> {
    if (!this.has(clip)) await this.fetch({ clips: [clip], offset: clip.offset, length: clip.length }, clip.fromMs);
  }

  private frames(atMs: number): number[] {
    const near = [...this.held.values()].filter(({ clip }) => clip.toMs > atMs - 3000 && clip.fromMs < atMs + 3000);
    return near.flatMap((each) => each.framesMs).sort((a, b) => a - b);
  }

  private toS(atMs: number): number {
    return (atMs - this.options.baseMs) / 1000;
  }

  private has(clip: Clip): boolean {
    if (!this.held.has(clip.key)) return false;
    const middleS = this.toS((clip.fromMs + clip.toMs) / 2);
    if (!this.sink || this.sink.waitingBytes > 0 || this.sink.spanAt(middleS)) return true;
    // The browser has thrown it out by itself.
    this.forget(clip);
    return false;
  }

  private forget(clip: Clip): void {
    if (this.held.delete(clip.key)) this.heldBytes -= clip.length;
  }

  private async ask(window: Reach, view: string, atMs: number): Promise<void> {
    const giveUp = new AbortController();
    this.asking = giveUp;
    try {
      const query = { from: rfc3339(window.fromMs), to: rfc3339(window.toMs), view };
      const askedMs = this.options.nowMs();
      const media = await api.get<Media>(`/cameras/${encodeURIComponent(this.camera)}/media`, { query, signal: giveUp.signal });
      this.reel.take({ ...media, from: query.from, to: query.to }, askedMs, atMs);
      this.succeeded();
    } catch (error) {
      this.failed(error);
    } finally {
      if (this.asking === giveUp) this.asking = null;
    }
  }

  private async fetch(fetch: Fetch, atMs: number): Promise<void> {
    const giveUp = new AbortController();
    const fetching = { clips: fetch.clips, giveUp };
    this.fetching = fetching;
    try {
      const part = fetch.clips[0]!.part;
      const url = this.address(part.url);
      const [init, bytes] = await Promise.all([
        this.initOf(part.id, url, part.init, giveUp.signal),
        api.bytes(url, `bytes=${fetch.offset}-${fetch.offset + fetch.length - 1}`, giveUp.signal),
      ]);
      this.fetchedBytes += bytes.byteLength;
      if (!giveUp.signal.aborted && !this.isClosed) await this.append(fetch, init, bytes, atMs);
      this.succeeded();
    } catch (error) {
      this.failed(error);
    } finally {
      if (this.fetching === fetching) this.fetching = null;
    }
  }

  private async append(fetch: Fetch, init: ArrayBuffer, bytes: ArrayBuffer, atMs: number): Promise<void> {
    const [first] = fetch.clips;
    const { part } = first!;
    if (!canPlay(part.mime)) {
      this.isUnplayable = true;
      return;
    }
    this.sink ??= this.openSink(part.mime);
    const sink = this.sink;
    sink.setType(part.mime);
    if (this.lastPart !== part.id) void sink.append(init);
    this.lastPart = part.id;
    let offsetMs = this.offsets.get(part.id);
    const ownMs = first!.fromMs - first!.decodeTicks / TICKS_PER_MS;
    // One offset for all of a part, or rounding would open holes between its fragments; a new one if the clocks went apart.
    if (offsetMs === undefined || Math.abs(offsetMs - ownMs) > 40) offsetMs = ownMs;
    this.offsets.set(part.id, offsetMs);
    const fragments = readFragments(bytes);
    for (const [at, clip] of fetch.clips.entries()) {
      const framesMs = fragments[at]?.samples.map((sample) => offsetMs + sample.presentTicks / TICKS_PER_MS) ?? [];
      this.forget(clip);
      this.held.set(clip.key, { clip, framesMs });
      this.heldBytes += clip.length;
    }
    await sink.append(bytes, (offsetMs - this.options.baseMs) / 1000);
    this.evict(atMs);
  }

  private openSink(mime: string): Sink {
    const made = new Sink(
      this.options.video,
      mime,
      () => {
        if (this.sink !== made) return;
        this.sink = null;
        this.held.clear();
        this.heldBytes = 0;
        this.lastPart = '';
        this.failed(null);
      },
      TIMELINE_S,
    );
    return made;
  }

  private async initOf(id: string, url: string, init: { offset: number; length: number }, signal: AbortSignal): Promise<ArrayBuffer> {
    const known = this.inits.get(id);
    if (known) return known;
    const bytes = await api.bytes(url, `bytes=${init.offset}-${init.offset + init.length - 1}`, signal);
    if (this.inits.size >= MOST_INITS) this.inits.delete(this.inits.keys().next().value!);
    this.inits.set(id, bytes);
    return bytes;
  }

  private address(url: string): string {
    const view = this.options.view()?.id;
    return view && !/[?&]view=/.test(url) ? urlOf(url, { view }) : url;
  }

  /** Let go of what is farthest from the position, once too much is held. */
  private evict(atMs: number): void {
    if (this.heldBytes <= MOST_HELD_BYTES) return;
    const far = [...this.held.values()].map(({ clip }) => clip).sort((a, b) => Math.abs(b.fromMs - atMs) - Math.abs(a.fromMs - atMs));
    for (const clip of far) {
      if (this.heldBytes <= MOST_HELD_BYTES * 0.75) return;
      this.forget(clip);
      this.sink?.remove(this.toS(clip.fromMs), this.toS(clip.toMs));
    }
  }

  private failed(error: unknown): void {
    if (isAborted(error) || this.isClosed) return;
    const pauseMs = RETRY_MS[this.failures++];
    const problem = toProblem(error ?? new Error('the player failed'));
    if (pauseMs === undefined || isFinal(problem)) this.problem = problem;
    this.retryAtMs = performance.now() + (pauseMs ?? FAILED_RETRY_MS);
  }

  private succeeded(): void {
    this.failures = 0;
    this.problem = null;
  }
}

/** A refusal stays one, however often it is asked; all else may be over at the next try. */
function isFinal({ status }: Problem): boolean {
  return status >= 400 && status < 500 && status !== 429 && status !== 416;
}
