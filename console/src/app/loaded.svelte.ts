// What a page shows of the server: loaded when the page opens, again when what it depends on changes, and let go with it.
import { isAborted, type Problem, toProblem } from '../api/client.ts';
import type { Page } from '../api/types.ts';
import { connection } from './connection.svelte.ts';

/** One answer of the server. `value` stays while it is loaded anew, so that nothing on the page jumps. */
export class Loaded<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  isLoading = $state(false);
  private giveUp: AbortController | null = null;

  constructor(private readonly fetcher: (signal: AbortSignal) => Promise<T>) {}

  async reload(): Promise<void> {
    this.giveUp?.abort();
    const giveUp = new AbortController();
    this.giveUp = giveUp;
    this.isLoading = true;
    try {
      const value = await this.fetcher(giveUp.signal);
      if (this.giveUp !== giveUp) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (this.giveUp === giveUp && !isAborted(error)) this.problem = toProblem(error);
    } finally {
      if (this.giveUp === giveUp) this.isLoading = false;
    }
  }

  stop(): void {
    this.giveUp?.abort();
    this.giveUp = null;
  }
}

/**
 * Load while the component lives: `const cameras = load((signal) => api.get<…>('/cameras', { signal }), { everyS: 5 })`.
 * State that `fetcher` reads before its first `await` makes it load anew when it changes, and so does a server that is back.
 */
export function load<T>(fetcher: (signal: AbortSignal) => Promise<T>, { everyS = 0 } = {}): Loaded<T> {
  const loaded = new Loaded(fetcher);
  $effect(() => {
    void connection.returns;
    void loaded.reload();
    const timer = everyS
      ? setInterval(() => {
          if (document.visibilityState === 'visible') void loaded.reload();
        }, everyS * 1000)
      : undefined;
    return () => {
      clearInterval(timer);
      loaded.stop();
    };
  });
  return loaded;
}

/** A list that is loaded page by page. */
export class Paged<T> {
  items = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  isLoading = $state(false);
  /** Whether the first page has come, so that "nothing here" is not said too early. */
  isThere = $state(false);
  private giveUp: AbortController | null = null;

  constructor(private readonly fetcher: (cursor: string, signal: AbortSignal) => Promise<Page<T>>) {}

  /** Begin anew with the first page. */
  async reload(): Promise<void> {
    await this.fetch('');
  }

  async more(): Promise<void> {
    if (this.next && !this.isLoading) await this.fetch(this.next);
  }

  stop(): void {
    this.giveUp?.abort();
    this.giveUp = null;
  }

  private async fetch(cursor: string): Promise<void> {
    this.giveUp?.abort();
    const giveUp = new AbortController();
    this.giveUp = giveUp;
    this.isLoading = true;
    try {
      const page = await this.fetcher(cursor, giveUp.signal);
      if (this.giveUp !== giveUp) return;
      this.items = cursor ? [...this.items, ...page.items] : page.items;
      this.next = page.next;
      this.problem = null;
      this.isThere = true;
    } catch (error) {
      if (this.giveUp === giveUp && !isAborted(error)) this.problem = toProblem(error);
    } finally {
      if (this.giveUp === giveUp) this.isLoading = false;
    }
  }
}

/** The same while the component lives; state that `fetcher` reads at once makes the list begin anew. */
export function loadPages<T>(fetcher: (cursor: string, signal: AbortSignal) => Promise<Page<T>>): Paged<T> {
  const paged = new Paged(fetcher);
  $effect(() => {
    void connection.returns;
    void paged.reload();
    return () => paged.stop();
  });
  return paged;
}
