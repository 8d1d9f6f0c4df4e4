// What somebody is watching of the past: cameras, moment, stretch of the timeline, the view that permits it, the cut for export.
import { api, isAborted, Problem, toProblem } from '../../api/client.ts';
import type { Timeline, View } from '../../api/types.ts';
import { ms, rfc3339 } from '../../app/clock.ts';
import { session } from '../../app/session.svelte.ts';
import type { PlaybackView } from '../../media/deck.ts';
import { nextSpeed } from '../../media/master.ts';
import { PlaybackEngine, type PlaybackFacts } from '../../media/playback.ts';
import { nextRecorded } from './lanes.ts';
import { held, length, revealed, type Stretch } from './scale.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FIRST_STRETCH_MS = HOUR_MS;
const SLACK_MS = 2 * 60_000;
const FACTS_MS = 100;
// A view is asked for once more only so often, whatever goes wrong.
const VIEW_PAUSE_MS = 3000;

/** From when to when a view is asked: what is on the page, a day at most, and no further back than it needs no reason where it can. */
export function viewSpan(atMs: number, stretch: Stretch, nowMs: number): Stretch {
  const size = Math.min(DAY_MS, Math.max(HOUR_MS, length(stretch)));
  let fromMs = Math.max(Math.min(stretch.fromMs, atMs - SLACK_MS), atMs - size);
  const recentMs = nowMs - DAY_MS + SLACK_MS;
  if (atMs > recentMs) fromMs = Math.max(fromMs, recentMs);
  return { fromMs, toMs: Math.max(atMs + SLACK_MS * 2, Math.min(fromMs + size * 1.5, Math.max(stretch.toMs, atMs + HOUR_MS))) };
}

/** Whether the server wants to know why. */
export function needsReason(cameras: number, fromMs: number, nowMs: number): boolean {
  return cameras > 1 || fromMs < nowMs - DAY_MS;
}

export class Watching {
  cameras = $state.raw<string[]>([]);
  stretch = $state.raw<Stretch>({ fromMs: 0, toMs: 1 });
  facts = $state.raw<PlaybackFacts | null>(null);
  /** Of each camera, as far as it is known. */
  timelines = $state.raw<Record<string, Timeline>>({});
  /** Of each camera whose timeline could not be loaded: what is not drawn of it may be recorded all the same. */
  faults = $state.raw<Record<string, Problem>>({});
  view = $state.raw<(PlaybackView & { cameras: string[] }) | null>(null);
  problem = $state.raw<Problem | null>(null);
  isAsking = $state(false);
  /** Asked, and no reason given: nothing is shown, and nothing asked again, before somebody wants to. */
  isDeclined = $state(false);
  /** The server wants to know because of another camera that is looked at elsewhere, or was lately. */
  isSecond = $state(false);
  /** Given once, and kept in the acts with every view that this watching opens. */
  reason = $state('');
  inMs = $state<number | null>(null);
  outMs = $state<number | null>(null);
  skipsGaps = $state(true);
  readonly engine: PlaybackEngine;
  private toldMs = 0;
  private opening: Promise<void> | null = null;
  private askedMs = -Infinity;

  constructor(atMs: number) {
    const nowMs = session.clock.nowMs();
    this.stretch = held({ fromMs: atMs - FIRST_STRETCH_MS / 2, toMs: atMs + FIRST_STRETCH_MS / 2 }, nowMs);
    this.engine = new PlaybackEngine({
      atMs,
      nowMs: () => session.clock.nowMs(),
      view: () => this.viewAt(this.engine.atMs),
      onFacts: (facts) => this.told(facts),
      nextRecorded: (at) => nextRecorded(Object.values(this.timelines), at),
    });
  }

  get atMs(): number {
    return this.engine.atMs;
  }

  seek(atMs: number): void {
    this.engine.seek(atMs);
    this.stretch = revealed(this.stretch, this.engine.atMs, session.clock.nowMs());
    void this.open();
  }

  toggle(): void {
    if (this.engine.isPlaying) this.engine.pause();
    else this.engine.play();
  }

  faster(direction: 1 | -1): void {
    this.engine.setRate(nextSpeed(this.engine.rate, direction));
  }

  close(): void {
    this.engine.close();
  }

  /** Make sure that there is a view of the moment; asks for a reason where one is needed and not given. */
  open(): Promise<void> {
    if (this.viewAt(this.engine.atMs) || this.cameras.length === 0) {
      this.isDeclined = false;
      return Promise.resolve();
    }
    this.opening ??= this.openNow().finally(() => (this.opening = null));
    return this.opening;
  }

  async give(reason: string): Promise<void> {
    this.reason = reason.trim();
    this.isAsking = this.isDeclined = false;
    this.askedMs = -Infinity;
    await this.open();
  }

  decline(): void {
    this.isAsking = false;
    this.isDeclined = true;
  }

  again(): void {
    this.problem = null;
    this.isDeclined = false;
    this.askedMs = -Infinity;
    this.view = null;
    void this.open();
  }

  /** The server is back: what failed for no reason of its own is tried again. */
  hurry(): void {
    this.engine.hurry();
    if (this.problem && (this.problem.status === 0 || this.problem.status >= 500)) this.again();
  }

  /** Show other cameras. */
  choose(cameras: string[]): void {
    this.cameras = cameras;
    this.timelines = {};
    this.faults = {};
    void this.open();
  }

  /** Load the timelines of all cameras, from `fromMs` to `toMs`. */
  async fetchTimelines({ fromMs, toMs }: Stretch, signal: AbortSignal): Promise<void> {
    const query = { from: rfc3339(fromMs), to: rfc3339(toMs) };
    await Promise.all(
      this.cameras.map(async (camera) => {
        try {
          const timeline = await api.get<Timeline>(`/cameras/${encodeURIComponent(camera)}/timeline`, { query, signal });
          if (signal.aborted) return;
          this.timelines = { ...this.timelines, [camera]: timeline };
          const { [camera]: _, ...faults } = this.faults;
          this.faults = faults;
        } catch (error) {
          if (!signal.aborted && !isAborted(error)) this.faults = { ...this.faults, [camera]: toProblem(error) };
        }
      }),
    );
  }

  private viewAt(atMs: number): PlaybackView | null {
    const { view } = this;
    if (!view || atMs < view.fromMs || atMs >= view.toMs) return null;
    return this.cameras.every((camera) => view.cameras.includes(camera)) ? view : null;
  }

  private async openNow(): Promise<void> {
    const nowMs = session.clock.nowMs();
    const span = viewSpan(this.engine.atMs, this.stretch, nowMs);
    const cameras = [...this.cameras];
    if (needsReason(cameras.length, span.fromMs, nowMs) && !this.reason) {
      this.isSecond = false;
      this.isAsking = true;
      return;
    }
    this.askedMs = performance.now();
    try {
      const body = { cameras, from: rfc3339(span.fromMs), to: rfc3339(span.toMs), ...(this.reason ? { reason: this.reason } : {}) };
      const view = await api.post<View>('/views', body);
      this.view = { id: view.id, cameras, fromMs: ms(view.from), toMs: ms(view.to) };
      this.problem = null;
      this.isDeclined = false;
      this.engine.retry();
    } catch (error) {
      const problem = toProblem(error);
      if (problem.kind === 'reason-required') this.isSecond = this.isAsking = true;
      else this.problem = problem;
    }
  }

  private told(facts: PlaybackFacts): void {
    this.engine.skipsGaps = this.skipsGaps;
    const nowMs = performance.now();
    const isExpired = facts.decks.some((deck) => deck.problem?.kind === 'view-required');
    if (isExpired) this.view = null;
    const isMissing = isExpired || !this.viewAt(facts.atMs);
    if (isMissing && !this.isAsking && !this.isDeclined && !this.problem && nowMs - this.askedMs > VIEW_PAUSE_MS) void this.open();
    // Twenty times a second is more than words can be read.
    const isNews = !this.facts || facts.isPlaying !== this.facts.isPlaying || facts.rate !== this.facts.rate || facts.isHeld !== this.facts.isHeld;
    if (!isNews && nowMs - this.toldMs < FACTS_MS) return;
    this.toldMs = nowMs;
    this.facts = facts;
    if (facts.isPlaying) this.stretch = revealed(this.stretch, facts.atMs, session.clock.nowMs());
  }
}
