// Feeds a video element through Media Source Extensions, one operation after the other, as a SourceBuffer wants it.

type Step =
  | { do: 'append'; bytes: ArrayBuffer; offsetS: number | null; done: (isIn: boolean) => void }
  | { do: 'remove'; startS: number; endS: number }
  | { do: 'type'; mime: string };

export interface Span {
  startS: number;
  endS: number;
}

interface ManagedWindow {
  ManagedMediaSource?: typeof MediaSource;
}

// What waits to be appended; more means that the element takes nothing any more.
const MOST_WAITING_BYTES = 24 << 20;
const KEPT_AT_QUOTA_S = 2;

/** The kind of media source that this browser has; iPhones have the managed one alone, very old ones none. */
export function mediaSourceClass(): typeof MediaSource | null {
  return globalThis.MediaSource ?? (globalThis as ManagedWindow).ManagedMediaSource ?? null;
}

/** Whether the browser can play this, by either way. */
export function canPlay(mime: string): boolean {
  return mediaSourceClass()?.isTypeSupported(mime) ?? false;
}

/**
 * One MediaSource on one element. After `onFail` it is of no use any more: close it and make another.
 * Steps wait until the source is open; `close` drops what waits.
 */
export class Sink {
  /** Seconds that were asked for and wait, in bytes: for those who fetch ahead. */
  waitingBytes = 0;
  private readonly source: MediaSource;
  private readonly url: string;
  private buffer: SourceBuffer | null = null;
  private steps: Step[] = [];
  private current: Step | null = null;
  private mime: string;
  private isClosed = false;
  private isRetry = false;

  constructor(
    private readonly video: HTMLVideoElement,
    mime: string,
    private readonly onFail: (problem: string) => void,
    private readonly durationS = Infinity,
  ) {
    const Source = mediaSourceClass();
    if (!Source) throw new Error('this browser has no media source');
    this.mime = mime;
    this.source = new Source();
    this.source.addEventListener('sourceopen', () => this.opened(), { once: true });
    video.addEventListener('error', this.broken);
    // Without this a managed source stays closed.
    video.disableRemotePlayback = true;
    this.url = URL.createObjectURL(this.source);
    video.src = this.url;
  }

  /** Append whole boxes, shifted by `offsetS`; true once they are in, false where they were dropped. */
  append(bytes: ArrayBuffer, offsetS: number | null = null): Promise<boolean> {
    return new Promise((done) => {
      if (this.isClosed) return done(false);
      this.waitingBytes += bytes.byteLength;
      this.steps.push({ do: 'append', bytes, offsetS, done });
      if (this.waitingBytes > MOST_WAITING_BYTES) this.fail('the player takes nothing any more');
      else this.pump();
    });
  }

  /** What comes next is of this type. */
  setType(mime: string): void {
    if (mime !== this.mime) this.steps.push({ do: 'type', mime });
    this.mime = mime;
  }

  remove(startS: number, endS: number): void {
    if (endS <= startS || this.isClosed) return;
    this.steps.push({ do: 'remove', startS, endS });
    this.pump();
  }

  get spans(): Span[] {
    const ranges = this.isClosed || !this.buffer || this.source.readyState !== 'open' ? null : this.buffer.buffered;
    return Array.from({ length: ranges?.length ?? 0 }, (_, at) => ({ startS: ranges!.start(at), endS: ranges!.end(at) }));
  }

  /** What is playable around a place, a hole of `roomS` before it overlooked. */
  spanAt(atS: number, roomS = 0.04): Span | null {
    return this.spans.find((span) => span.startS - roomS <= atS && atS < span.endS) ?? null;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.video.removeEventListener('error', this.broken);
    for (const step of this.steps) if (step.do === 'append') step.done(false);
    if (this.current?.do === 'append') this.current.done(false);
    this.steps = [];
    this.waitingBytes = 0;
    URL.revokeObjectURL(this.url);
    if (this.video.src === this.url) {
      this.video.removeAttribute('src');
      this.video.load();
    }
  }

  private readonly broken = (): void => this.fail(this.video.error?.message || 'the player failed');

  private opened(): void {
    if (this.isClosed) return;
    try {
      this.source.duration = this.durationS;
      this.buffer = this.source.addSourceBuffer(this.mime);
    } catch (error) {
      return this.fail(String(error));
    }
    this.steps = this.steps.filter((step) => step.do !== 'type');
    this.buffer.addEventListener('updateend', () => this.ended());
    this.pump();
  }

  private ended(): void {
    const step = this.current;
    this.current = null;
    if (step?.do === 'append') {
      this.waitingBytes -= step.bytes.byteLength;
      this.isRetry = false;
      step.done(true);
    }
    this.pump();
  }

  private pump(): void {
    while (this.buffer && !this.isClosed && !this.buffer.updating && this.source.readyState === 'open') {
      const step = this.steps.shift();
      if (!step) return;
      this.current = step;
      try {
        if (step.do === 'append') {
          if (step.offsetS !== null && step.offsetS !== this.buffer.timestampOffset) this.buffer.timestampOffset = step.offsetS;
          this.buffer.appendBuffer(step.bytes);
        } else if (step.do === 'remove') this.buffer.remove(Math.max(0, step.startS), step.endS);
        else {
          this.buffer.changeType(step.mime);
          this.current = null;
        }
      } catch (error) {
        this.current = null;
        if (!this.makeRoom(step, error)) return this.fail(String(error));
      }
    }
  }

  /** The buffer is full: let what was played go, and try once more. */
  private makeRoom(step: Step, error: unknown): boolean {
    const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
    const untilS = this.video.currentTime - KEPT_AT_QUOTA_S;
    if (!isFull || this.isRetry || untilS <= 0) return false;
    this.isRetry = true;
    this.steps.unshift({ do: 'remove', startS: 0, endS: untilS }, step);
    return true;
  }

  private fail(problem: string): void {
    if (this.isClosed) return;
    this.close();
    this.onFail(problem);
  }
}
