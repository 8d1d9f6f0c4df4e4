// Plays up to nine cameras of the past in step: one clock, and a deck for each camera that follows it.
import { Deck, type DeckFacts, type Following, type PlaybackView } from './deck.ts';
import { isSparse, MasterClock } from './master.ts';

export const MOST_CAMERAS = 9;

export interface PlaybackFacts {
  atMs: number;
  rate: number;
  isPlaying: boolean;
  /** Whether the clock waits for pictures. */
  isHeld: boolean;
  /** Whether keyframes alone are shown, because more cannot be decoded at this speed. */
  isSparse: boolean;
  /** Whether the newest picture is reached. */
  isAtEdge: boolean;
  decks: DeckFacts[];
}

export interface PlaybackOptions {
  atMs: number;
  /** Now, by the server's clock. */
  nowMs: () => number;
  /** The view that the pictures are asked with; null where there is none (yet) for the moment shown. */
  view: () => PlaybackView | null;
  /** Called some twenty times a second. */
  onFacts: (facts: PlaybackFacts) => void;
  /** The next moment from which something is recorded, where nothing is at `atMs`; null where that is unknown or none. */
  nextRecorded?: (atMs: number) => number | null;
}

const TICK_MS = 50;
const BEHIND_NOW_MS = 1500;
// What the base of a deck's timeline lies before the first position: sought moments must not be before it.
const BASE_BEFORE_MS = 400 * 86_400_000;

/**
 * The pictures of several cameras at one moment of UTC. The clock waits where a camera has a picture there that is not fetched
 * yet, so that all of them show the same moment; a camera that has a gap or has failed keeps nobody waiting.
 */
export class PlaybackEngine {
  skipsGaps = true;
  readonly decks: Deck[] = [];
  private readonly clock: MasterClock;
  private readonly baseMs: number;
  private readonly timer: ReturnType<typeof setInterval>;
  private isAtEdge = false;
  private stepping = Promise.resolve();

  constructor(private readonly options: PlaybackOptions) {
    this.clock = new MasterClock(options.atMs, performance.now());
    this.baseMs = options.atMs - BASE_BEFORE_MS;
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Show a camera on an element; returns how to take it out again. */
  add(camera: string, video: HTMLVideoElement): () => void {
    const { view, nowMs } = this.options;
    const deck = new Deck({ camera, video, baseMs: this.baseMs, view, nowMs });
    this.decks.push(deck);
    this.tick();
    return () => {
      deck.close();
      this.decks.splice(this.decks.indexOf(deck), 1);
    };
  }

  get atMs(): number {
    return this.clock.at(performance.now());
  }

  get rate(): number {
    return this.clock.rate;
  }

  get isPlaying(): boolean {
    return this.clock.isPlaying;
  }

  /** The largest difference between a camera's picture and the clock, in milliseconds; null while none is playing. */
  get driftMs(): number | null {
    const drifts = this.decks.flatMap((deck) => (deck.driftMs === null ? [] : [Math.abs(deck.driftMs)]));
    return drifts.length ? Math.max(...drifts) : null;
  }

  play(): void {
    this.clock.play(performance.now());
    this.tick();
  }

  pause(): void {
    this.clock.pause(performance.now());
    this.tick();
  }

  setRate(rate: number): void {
    this.clock.setRate(rate, performance.now());
    this.tick();
  }

  seek(atMs: number): void {
    const at = Math.min(Math.max(atMs, this.baseMs), this.options.nowMs() - BEHIND_NOW_MS);
    this.clock.seek(at, performance.now());
    for (const deck of this.decks) deck.sought(at);
    this.tick();
  }

  /** One picture on or back, of the first camera that has one there; stops the clock. */
  step(direction: 1 | -1): Promise<void> {
    this.pause();
    this.stepping = this.stepping.then(() => this.stepNow(direction)).catch(() => undefined);
    return this.stepping;
  }

  /** Try again after a refusal: there is a view now, or somebody asked for it, for one camera or all. */
  retry(camera?: string): void {
    for (const deck of this.decks) if (camera === undefined || deck.camera === camera) deck.retry();
    this.tick();
  }

  /** The server is back: try again what was no refusal. */
  hurry(): void {
    for (const deck of this.decks) deck.hurry();
    this.tick();
  }

  close(): void {
    clearInterval(this.timer);
    for (const deck of this.decks) deck.close();
    this.decks.length = 0;
  }

  private async stepNow(direction: 1 | -1): Promise<void> {
    const deck = this.decks.find((each) => each.reel.at(this.atMs)) ?? this.decks[0];
    if (!deck) return;
    const { atMs } = this;
    if (direction === 1) return this.seek(deck.frameAfter(atMs) ?? deck.reel.next(atMs + 1)?.fromMs ?? atMs);
    const clip = deck.reel.at(atMs);
    const before = clip ? deck.reel.previous(clip.fromMs) : deck.reel.previous(atMs);
    let frame = deck.frameBefore(atMs);
    if ((frame === null || (before && frame < before.fromMs)) && before) {
      await deck.load(before);
      frame = deck.frameBefore(atMs) ?? before.fromMs;
    }
    if (frame !== null) this.seek(frame);
  }

  private following(): Following {
    const { rate, isPlaying, isRunning } = this.clock;
    return { atMs: this.atMs, rate, isPlaying, isRunning, isSparse: isPlaying && isSparse(rate, this.decks.length) };
  }

  private tick(): void {
    this.stopAtEdge();
    let following = this.following();
    const states = this.decks.map((deck) => deck.status(following));
    this.clock.hold(states.includes('loading') || states.includes('edge'), performance.now());
    if (this.clock.isPlaying && states.length && states.every((state) => state === 'gap')) this.skip();
    following = this.following();
    for (const deck of this.decks) {
      deck.want(following);
      deck.follow(following);
    }
    const decks = this.decks.map((deck) => deck.facts(following));
    const { atMs, rate, isPlaying } = following;
    this.options.onFacts({
      atMs,
      rate,
      isPlaying,
      isHeld: isPlaying && this.clock.isHeld,
      isSparse: following.isSparse,
      isAtEdge: this.isAtEdge || states.includes('edge'),
      decks,
    });
  }

  private stopAtEdge(): void {
    const edgeMs = this.options.nowMs() - BEHIND_NOW_MS;
    this.isAtEdge = this.atMs >= edgeMs - 250;
    if (this.atMs <= edgeMs) return;
    // Nothing is newer than now: go on at the pace at which it comes.
    this.clock.seek(edgeMs, performance.now());
    if (this.clock.rate > 1) this.clock.setRate(1, performance.now());
  }

  private skip(): void {
    if (!this.skipsGaps) return;
    const { atMs } = this;
    const nexts = this.decks.flatMap((deck) => deck.reel.next(atMs)?.fromMs ?? []);
    const next = nexts.length ? Math.min(...nexts) : (this.options.nextRecorded?.(atMs) ?? null);
    if (next !== null && next > atMs) this.seek(next);
  }
}
