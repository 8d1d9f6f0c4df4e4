// Plays a camera's masked pictures as they are made: WebSocket to Media Source, HLS where a browser has none.
import { api, urlOf } from '../api/client.ts';
import { Socket, type SocketEnd, type SocketState } from '../api/socket.ts';
import type { LiveWord } from '../api/types.ts';
import { readFragments, timescaleOf } from './boxes.ts';
import { Pace } from './pace.ts';
import { askWhy, type Refusal, refusalOfClose, waitMs } from './refusal.ts';
import { Seam } from './seam.ts';
import { Shown } from './shown.ts';
import { canPlay, mediaSourceClass, Sink } from './sink.ts';

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'lost' | 'unplayable' | 'paused' | Refusal;

export interface LiveOptions {
  video: HTMLVideoElement;
  camera: string;
  /** Now, by the server's clock. */
  nowMs: () => number;
  onState: (state: LiveState) => void;
  /** Begin paused: all pictures are held. */
  isPaused?: boolean;
}

const PACE_MS = 80;
const KEPT_S = 4;
const SILENT_MS = 4000;
// The server has a word every three seconds, also while the camera is lost or the stream is paused.
const DEAD_MS = 8000;
const MOST_MENDINGS = 5;
const MENDING_SPAN_MS = 30_000;
const AGAIN_MS = 5000;
// One question to the server answers for so long: a socket that comes back by itself is refused more often.
const ANSWERED_MS = 30_000;
const HLS_MIME = 'application/vnd.apple.mpegurl';

/**
 * One live camera on one video element, until it is closed. It mends itself: a lost connection, a run that ends, a player
 * that fails. What an end-to-end test needs stands on the element: `data-live`, `data-shown-at` and `data-age-ms` (of the
 * picture on the screen, by the server's clock), `data-pictures` (how many were shown), `data-arrival-ms` (how old the newest
 * fragment was as it came) and `data-margin-ms` (how long one is kept back, so that late ones come in time).
 */
export class LivePlayer {
  private state: LiveState = 'connecting';
  private socket: Socket | null = null;
  private sink: Sink | null = null;
  private init: { word: LiveWord & { type: 'init' }; bytes: ArrayBuffer | null } | null = null;
  private timescale = 90_000;
  private seam = new Seam();
  private readonly pace = new Pace();
  private readonly shown = new Shown();
  private needsKeyframe = true;
  private isPaused = false;
  private isClosed = false;
  private wasToldLost = false;
  private lastMs = 0;
  private pictures = 0;
  private hasTold = false;
  private shownAtMs: number | null = null;
  private mendings: number[] = [];
  private timer: ReturnType<typeof setInterval> | undefined;
  private again: ReturnType<typeof setTimeout> | undefined;
  private refusal: Refusal | null = null;
  private refusals = 0;
  private question: AbortController | null = null;
  private askedMs = -Infinity;
  private isAllowed = false;

  constructor(private readonly options: LiveOptions) {
    const { video } = options;
    video.muted = true;
    video.playsInline = true;
    video.addEventListener('waiting', this.stalled);
    video.requestVideoFrameCallback?.((_now, metadata) => this.presented(metadata));
    this.isPaused = options.isPaused ?? false;
    this.tell(this.isPaused ? 'paused' : 'connecting');
    this.start();
  }

  /** Stop the stream, and keep the last picture. */
  pause(): void {
    if (this.isPaused || this.isClosed) return;
    this.isPaused = true;
    this.socket?.send({ type: 'pause' });
    this.options.video.pause();
    this.tell('paused');
  }

  resume(): void {
    if (!this.isPaused || this.isClosed) return;
    this.isPaused = false;
    this.needsKeyframe = true;
    this.lastMs = performance.now();
    this.socket?.send({ type: 'resume' });
    this.socket?.hurry();
    this.tell(this.refusal ?? 'connecting');
    this.play();
  }

  /** The server is back, or the network: do not wait any longer. */
  hurry(): void {
    if (this.isClosed) return;
    this.socket?.hurry();
    if (this.refusal !== 'blocked') return;
    this.stop();
    this.start();
  }

  close(): void {
    this.isClosed = true;
    this.stop();
    this.sink?.close();
    this.options.video.removeEventListener('waiting', this.stalled);
  }

  private start(): void {
    const { video, camera } = this.options;
    if (!mediaSourceClass()) {
      if (!video.canPlayType(HLS_MIME)) return this.tell('unplayable');
      video.src = urlOf(`/cameras/${encodeURIComponent(camera)}/live.m3u8`);
      video.onplaying = () => this.letIn('live');
      video.onerror = () => this.retryHls();
      return this.play();
    }
    this.socket = new Socket(`/cameras/${encodeURIComponent(camera)}/live`, {
      silentMs: DEAD_MS,
      onText: (text) => this.word(JSON.parse(text) as LiveWord),
      onBinary: (bytes) => this.piece(bytes),
      onState: (state) => this.connection(state),
      onEnd: (end) => this.ended(end),
    });
    this.lastMs = performance.now();
    this.timer = setInterval(() => this.tick(), PACE_MS);
  }

  private retryHls(): void {
    if (this.isClosed) return;
    if (!this.refusal) this.tell('reconnecting');
    void this.wonder();
    clearTimeout(this.again);
    this.again = setTimeout(() => {
      this.options.video.load();
      this.play();
    }, AGAIN_MS);
  }

  private connection(state: SocketState): void {
    if (state === 'open') {
      this.lastMs = performance.now();
      this.question?.abort();
      this.isAllowed = false;
      if (this.isPaused) this.socket?.send({ type: 'pause' });
    }
    if (state !== 'waiting' || this.isClosed) return;
    this.init = null;
    if (!this.refusal && !this.isPaused) this.tell('reconnecting');
  }

  private ended({ wasOpen, code, reason }: SocketEnd): void {
    if (this.isClosed) return;
    const refusal = wasOpen ? refusalOfClose(code, reason) : null;
    if (refusal) this.refused(refusal);
    else if (!wasOpen) void this.wonder();
  }

  /** A browser does not tell why a socket was refused; the server does, once, and not at every try. */
  private async wonder(): Promise<void> {
    const nowMs = performance.now();
    if (this.isAllowed && this.socket) return this.refused('blocked');
    if (this.question || nowMs - this.askedMs < ANSWERED_MS) return;
    this.askedMs = nowMs;
    const question = new AbortController();
    this.question = question;
    const answer = await askWhy(this.options.camera, question.signal);
    if (this.question === question) this.question = null;
    if (question.signal.aborted) return;
    // It may have come back just now: only if the next try is refused as well, something else is in the way.
    if (answer === 'allowed') this.isAllowed = true;
    else if (answer !== 'unknown') this.refused(answer);
  }

  /** Not to be had now: no use in knocking every second. */
  private refused(refusal: Refusal): void {
    this.stop();
    this.refusal = refusal;
    this.askedMs = -Infinity;
    if (!this.isPaused) this.tell(refusal);
    if (refusal === 'signed_out') return api.onSignedOut();
    this.again = setTimeout(() => this.start(), waitMs(refusal, this.refusals++));
  }

  private letIn(state: LiveState): void {
    this.refusal = null;
    this.refusals = 0;
    if (!this.isPaused) this.tell(state);
  }

  private stop(): void {
    this.socket?.close();
    this.socket = null;
    this.init = null;
    this.isAllowed = false;
    this.question?.abort();
    clearInterval(this.timer);
    clearTimeout(this.again);
  }

  private word(word: LiveWord): void {
    if (word.type === 'ping') return;
    // Whoever is not let in is told nothing of the stream.
    if (this.refusal) this.letIn('connecting');
    if (word.type === 'init') {
      this.wasToldLost = false;
      this.init = { word, bytes: null };
    } else if (word.type === 'end') this.tell('reconnecting');
    else if (word.type === 'state') {
      this.wasToldLost = word.state === 'lost';
      if (!this.isPaused) this.tell(this.wasToldLost ? 'lost' : this.pictures ? 'reconnecting' : 'connecting');
    }
  }

  private piece(bytes: ArrayBuffer): void {
    this.lastMs = performance.now();
    if (!this.init) return;
    if (this.init.bytes) return this.fragment(bytes);
    this.init.bytes = bytes;
    this.timescale = timescaleOf(bytes);
    this.open();
  }

  /** Begin with an init segment: in the player that is there, or in a new one. */
  private open(): void {
    if (!this.init?.bytes) return;
    const { mime } = this.init.word;
    if (!canPlay(mime)) return this.tell('unplayable');
    this.needsKeyframe = true;
    this.seam.begin();
    if (this.sink) this.sink.setType(mime);
    else {
      this.seam = new Seam();
      this.shown.clear();
      this.sink = new Sink(this.options.video, mime, () => this.mend());
    }
    void this.sink.append(this.init.bytes);
    this.play();
  }

  private fragment(bytes: ArrayBuffer): void {
    const sink = this.sink;
    if (!sink || this.isPaused) return;
    const facts = readFragments(bytes)[0];
    const first = facts?.samples[0];
    if (!first || (this.needsKeyframe && !first.isKeyframe)) return;
    this.needsKeyframe = false;
    const startTicks = Math.min(...facts.samples.map((sample) => sample.presentTicks));
    const durationTicks = facts.samples.reduce((sum, sample) => sum + sample.durationTicks, 0);
    const placed = this.seam.place(startTicks / this.timescale, durationTicks / this.timescale);
    if (placed.isSeam) this.pace.restart();
    this.pace.arrived(placed.startS, this.lastMs);
    if (facts.reference) {
      this.shown.mark(facts.reference.mediaTicks / this.timescale + placed.offsetS, facts.reference.wallMs);
      this.options.video.dataset['arrivalMs'] = (this.options.nowMs() - facts.reference.wallMs).toFixed(1);
    }
    void sink.append(bytes, placed.offsetS).then((isIn) => {
      if (isIn && placed.isSeam) this.leap(placed.startS);
    });
  }

  /** Something was left out before this: what is still buffered before it is old. */
  private leap(toS: number): void {
    if (this.isClosed) return;
    this.options.video.currentTime = toS;
    this.play();
  }

  private tick(): void {
    const { video } = this.options;
    const sink = this.sink;
    const nowMs = performance.now();
    if (this.isPaused || !sink) return;
    if (this.state === 'live' && nowMs - this.lastMs > SILENT_MS) this.tell('reconnecting');
    const last = sink.spans.at(-1);
    if (!last) return;
    const { rate, jumpTo } = this.pace.pace(video.currentTime, last.startS, last.endS, nowMs);
    video.dataset['marginMs'] = (this.pace.marginS(nowMs) * 1000).toFixed(0);
    if (jumpTo !== null) video.currentTime = jumpTo;
    if (Math.abs(video.playbackRate - rate) > 0.002) video.playbackRate = rate;
    if (video.paused) this.play();
    const first = sink.spans[0];
    if (first && video.currentTime - first.startS > KEPT_S * 2) sink.remove(0, video.currentTime - KEPT_S);
  }

  private presented(metadata: VideoFrameCallbackMetadata): void {
    const { video, nowMs } = this.options;
    if (this.isClosed) return;
    this.pictures++;
    this.shownAtMs = this.shown.wallMs(metadata.mediaTime);
    if (this.shownAtMs !== null) {
      // When it is on the screen, not when this was called.
      const leadMs = Math.max(0, metadata.expectedDisplayTime - performance.now());
      video.dataset['shownAt'] = this.shownAtMs.toFixed(1);
      video.dataset['ageMs'] = (nowMs() + leadMs - this.shownAtMs).toFixed(1);
    }
    video.dataset['pictures'] = String(this.pictures);
    if (!this.isPaused && !this.wasToldLost) this.tell('live');
    video.requestVideoFrameCallback((_now, next) => this.presented(next));
  }

  private readonly stalled = (): void => {
    if (this.state === 'live') this.pace.stalled(performance.now());
  };

  /** The player failed: another one, at the next keyframe; too often, and the whole stream anew. */
  private mend(): void {
    const nowMs = performance.now();
    this.sink = null;
    this.mendings = [...this.mendings.filter((at) => nowMs - at < MENDING_SPAN_MS), nowMs];
    if (this.isClosed) return;
    if (this.mendings.length <= MOST_MENDINGS) return this.open();
    this.tell('reconnecting');
    this.mendings = [];
    this.stop();
    this.again = setTimeout(() => this.start(), AGAIN_MS);
  }

  private play(): void {
    // A browser may refuse, such as while it saves power; the next tick tries again.
    if (!this.isPaused) this.options.video.play().catch(() => undefined);
  }

  /** When the picture on the screen was taken, by the server's clock; null before there is one, or where nobody knows. */
  get pictureMs(): number | null {
    return this.shownAtMs;
  }

  private tell(state: LiveState): void {
    if (state === this.state && this.hasTold) return;
    this.hasTold = true;
    this.state = state;
    this.options.video.dataset['live'] = state;
    this.options.onState(state);
  }
}
