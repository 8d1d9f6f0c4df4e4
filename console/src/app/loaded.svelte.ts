// What a page shows of the server: loaded when the page opens, again when what it depends on changes, and let go with it.
import { isAborted, type Problem, toProblem } from '../api/client.ts';
import type { Page } from '../api/types.ts';
import { connection } from './connection.svelte.ts';

const ALWAYS = (): string => '';

/**
 * One answer of the server. `value` stays while it is loaded anew, so that nothing on the page jumps; but only as long as it
 * answers what is asked: the answer to another question is none, and neither is what went wrong with it.
 */
export class Loaded<T> {
  isLoading = $state(false);
  private answer = $state.raw<{ question: string; value: T } | null>(null);
  private fault = $state.raw<{ question: string; problem: Problem } | null>(null);
  private giveUp: AbortController | null = null;

  constructor(
    private readonly fetcher: (signal: AbortSignal) => Promise<T>,
    private readonly question: () => string = ALWAYS,
  ) {}

  get value(): T | null {
    return this.answer && this.answer.question === this.question() ? this.answer.value : null;
  }

  get problem(): Problem | null {
    return this.fault && this.fault.question === this.question() ? this.fault.problem : null;
  }

  async reload(): Promise<void> {
    this.giveUp?.abort();
    const giveUp = new AbortController();
    this.giveUp = giveUp;
    this.isLoading = true;
    const question = this.question();
    try {
      const value = await this.fetcher(giveUp.signal);
      if (this.giveUp !== giveUp) return;
      this.answer = { question, value };
      this.fault = null;
    } catch (error) {
      if (this.giveUp === giveUp && !isAborted(error)) this.fault = { question, problem: toProblem(error) };
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
 * `question` is all of what can change in what is asked, such as a camera and a day: what was shown goes when it does.
 */
export function load<T>(fetcher: (signal: AbortSignal) => Promise<T>, { everyS = 0, question = ALWAYS } = {}): Loaded<T> {
  const loaded = new Loaded(fetcher, question);
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

/** A list that is loaded page by page; nothing of it stays when the question is another one. */
export class Paged<T> {
  items = $state.raw<T[]>([]);
  next = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  isLoading = $state(false);
  /** Whether the first page has come, so that "nothing here" is not said too early. */
  isThere = $state(false);
  private giveUp: AbortController | null = null;
  private asked: string | null = null;
  private failed = '';

  constructor(
    private readonly fetcher: (cursor: string, signal: AbortSignal) => Promise<Page<T>>,
    private readonly question: () => string = ALWAYS,
  ) {}

  /** Begin anew with the first page. */
  async reload(): Promise<void> {
    const question = this.question();
    if (this.asked !== null && this.asked !== question) this.clear();
    this.asked = question;
    await this.fetch('');
  }

  /** Once more what went wrong: the first page, or the next one. */
  async retry(): Promise<void> {
    await this.fetch(this.failed);
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
      if (this.giveUp !== giveUp || isAborted(error)) return;
      this.problem = toProblem(error);
      this.failed = cursor;
    } finally {
      if (this.giveUp === giveUp) this.isLoading = false;
    }
  }

  private clear(): void {
    this.items = [];
    this.next = null;
    this.problem = null;
    this.isThere = false;
  }
}

/** The same while the component lives; state that `fetcher` reads at once makes the list begin anew. */
export function loadPages<T>(fetcher: (cursor: string, signal: AbortSignal) => Promise<Page<T>>, { question = ALWAYS } = {}): Paged<T> {
  const paged = new Paged(fetcher, question);
  $effect(() => {
    void connection.returns;
    void paged.reload();
    return () => paged.stop();
  });
  return paged;
}
