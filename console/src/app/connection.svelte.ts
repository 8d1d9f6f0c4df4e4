// Whether the server answers, so that one banner says so instead of every part of a page for itself.
import { api } from '../api/client.ts';

export type Reach = 'ok' | 'lost' | 'back';

const BACK_MS = 4000;
// One lost request is no lost server: it must have failed for so long.
const PATIENCE_MS = 1200;

class Connection {
  reach = $state<Reach>('ok');
  /** Counts how often the server came back: pages that hold state of the server load anew when it changes. */
  returns = $state(0);
  private lostSince: number | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

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
  }
}

export const connection = new Connection();
api.onReached = (isReached) => connection.note(isReached);
