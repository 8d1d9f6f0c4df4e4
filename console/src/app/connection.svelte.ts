// Whether the server answers, so that one banner says so instead of every part of a page for itself.
import { api, pause } from '../api/client.ts';

export type Reach = 'ok' | 'lost' | 'back';

const BACK_MS = 4000;
// One lost request is no lost server: it must have failed for so long.
const PATIENCE_MS = 1200;
const PROBE_MS = 1000;
const ANSWER_MS = 5000;

class Connection {
  reach = $state<Reach>('ok');
  /** Counts how often the server came back: pages that hold state of the server load anew when it changes. */
  returns = $state(0);
  private lostSince: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isProbing = false;

  /** Called by the client after every try, and by sockets. */
  note(isReached: boolean): void {
    if (isReached) {
      this.lostSince = null;
      if (this.reach === 'lost') {
        this.reach = 'back';
        this.returns++;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => (this.reach = 'ok'), BACK_MS);
      }
      return;
    }
    this.lostSince ??= Date.now();
    if (this.reach !== 'lost' && Date.now() - this.lostSince >= PATIENCE_MS) {
      clearTimeout(this.timer);
      this.reach = 'lost';
    }
    void this.probe();
  }

  /** The browser has a network again: what was open before may hang, so that all is asked anew once the server answers. */
  async online(): Promise<void> {
    const before = this.returns;
    await this.probe();
    if (this.returns === before && !this.isProbing) this.returns++;
  }

  /** Ask whether the server is there, again and again until it is; for sockets that were closed, and after a lost request. */
  async probe(): Promise<void> {
    if (this.isProbing) return;
    this.isProbing = true;
    try {
      while (!(await answers())) {
        this.note(false);
        await pause(PROBE_MS);
      }
    } finally {
      this.isProbing = false;
    }
    this.note(true);
  }
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) })).ok;
  } catch {
    return false;
  }
}

export const connection = new Connection();
api.onReached = (isReached) => connection.note(isReached);
globalThis.addEventListener?.('online', () => void connection.online());
