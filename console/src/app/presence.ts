// Whether somebody is at the screen. What a page asks by itself while nobody is there must not keep them signed in.
import { api } from '../api/client.ts';

// The server notes a session once a minute; whatever is polled, something is asked within that time.
const THERE_MS = 60_000;
const INPUT = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

export class Presence {
  private actedMs: number;

  constructor(private readonly nowMs: () => number) {
    // Somebody has opened the page.
    this.actedMs = nowMs();
  }

  readonly acted = (): void => {
    this.actedMs = this.nowMs();
  };

  get isThere(): boolean {
    return this.nowMs() - this.actedMs < THERE_MS;
  }

  /** Take notice of keys, clicks and the wheel; returns how to stop. */
  watch(page: Pick<Window, 'addEventListener' | 'removeEventListener'>): () => void {
    const how = { capture: true, passive: true };
    for (const kind of INPUT) page.addEventListener(kind, this.acted, how);
    return () => {
      for (const kind of INPUT) page.removeEventListener(kind, this.acted, how);
    };
  }
}

/** For as long as the page is open. */
export function watchPresence(): void {
  const presence = new Presence(Date.now);
  presence.watch(window);
  api.isBackground = () => !presence.isThere;
}
