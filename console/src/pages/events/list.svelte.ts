// The events that a page shows: its history by pages, and a socket that tells of new ones.
import { api, isAborted, type Problem, toProblem } from '../../api/client.ts';
import { Socket, type SocketState } from '../../api/socket.ts';
import type { Event, EventDetail, FeedWord, Page } from '../../api/types.ts';
import { connection } from '../../app/connection.svelte.ts';
import { belongs, caughtUp, type Filters, NOTHING, paged, released, type Shown, told } from './feed.ts';

const LIMIT = 50;
const MOST_PIECES = 100;
const SIGNED_OUT = 4401;
// The server has a word every 20 seconds.
const SILENT_MS = 45_000;

export class EventList {
  shown = $state.raw<Shown>(NOTHING);
  next = $state<string | null>(null);
  problem = $state.raw<Problem | null>(null);
  isLoading = $state(false);
  isThere = $state(false);
  feed = $state<SocketState>('connecting');
  /** Called for every event of the feed that is new and fits. */
  onnew: (event: Event) => void = () => undefined;
  /** Called for every event that the feed tells of, also one that is not on the list. */
  onheard: (event: Event) => void = () => undefined;
  private filters: Filters | null = null;
  private siteCameras: readonly string[] | null = null;
  private giveUp: AbortController | null = null;
  private socket: Socket | null = null;
  private first: Promise<void> = Promise.resolve();
  /** What is to be done once more, after it went wrong. */
  private again: () => void = () => this.reload();

  /** Show what fits; returns how to stop. */
  follow(filters: Filters, siteCameras: readonly string[] | null): () => void {
    // Nothing of what fitted other filters stays, not even while that is on its way, or does not come.
    if (this.filters && JSON.stringify(filters) !== JSON.stringify(this.filters)) this.clear();
    this.filters = filters;
    this.siteCameras = siteCameras;
    this.first = this.load('');
    const missed = new AbortController();
    const socket = new Socket(`/events/feed${filters.camera ? `?camera=${encodeURIComponent(filters.camera)}` : ''}`, {
      silentMs: SILENT_MS,
      onText: (text) => this.hear(JSON.parse(text) as FeedWord),
      onEnd: ({ code }) => {
        if (code === SIGNED_OUT) api.onSignedOut();
      },
      onState: (state) => {
        this.feed = state;
        if (state === 'waiting') void connection.probe();
        // Also the first time: something may have happened since the first page was asked for.
        if (state === 'open') void this.catchUp(missed.signal);
      },
    });
    this.socket = socket;
    return () => {
      socket.close();
      missed.abort();
      this.giveUp?.abort();
    };
  }

  more(): void {
    if (this.next && !this.isLoading) void this.load(this.next);
  }

  reload(): void {
    this.first = this.load('');
  }

  /** Once more what went wrong last. */
  retry(): void {
    this.again();
  }

  /** The server is back, or the network: do not wait any longer. */
  hurry(): void {
    this.socket?.hurry();
  }

  /** Show the new ones; where more came than were kept, all is loaded anew. */
  release(): void {
    if (this.shown.hasLostSome) this.reload();
    else this.shown = released(this.shown);
  }

  /** What we know better than the list: an answer to what was just done. */
  learn(event: Event): void {
    this.shown = told(this.shown, event, false);
  }

  private hear(word: FeedWord): void {
    if (word.type !== 'event' || !this.filters) return;
    this.onheard(word.event);
    const isKnown = [...this.shown.items, ...this.shown.waiting].some((each) => each.id === word.event.id);
    const isWanted = belongs(word.event, this.filters, this.siteCameras);
    this.shown = this.settled(told(this.shown, word.event, isWanted));
    if (isWanted && !isKnown) this.onnew(word.event);
  }

  /** On an empty list nothing can jump: what is new is shown at once. */
  private settled(shown: Shown): Shown {
    return this.isThere && !shown.items.length && shown.waiting.length ? released(shown) : shown;
  }

  private async load(cursor: string): Promise<void> {
    this.giveUp?.abort();
    const giveUp = new AbortController();
    this.giveUp = giveUp;
    this.isLoading = true;
    try {
      const page = await this.page(cursor, giveUp.signal);
      if (this.giveUp !== giveUp) return;
      this.shown = paged(this.shown, page.items, !cursor);
      this.next = page.next;
      this.problem = null;
      this.isThere = true;
    } catch (error) {
      if (this.giveUp === giveUp && !isAborted(error)) this.failed(error, () => void (this.first = this.load(cursor)));
    } finally {
      if (this.giveUp === giveUp) this.isLoading = false;
    }
  }

  private async catchUp(signal: AbortSignal): Promise<void> {
    let before = this.shown;
    if (!this.isThere) {
      await this.first;
      // What the first page holds needs no catching up; what the feed told meanwhile is no proof that nothing was missed.
      before = { ...this.shown, waiting: [] };
    }
    if (signal.aborted || !this.isThere) return;
    try {
      const page = await this.page('', signal);
      if (signal.aborted) return;
      this.shown = this.settled(caughtUp(this.shown, page.items, before, page.next !== null));
      if (this.problem && !this.isLoading) this.problem = null;
    } catch (error) {
      if (!isAborted(error)) this.failed(error, () => void this.catchUp(signal));
    }
  }

  private failed(error: unknown, again: () => void): void {
    this.problem = toProblem(error);
    this.again = again;
  }

  private clear(): void {
    this.shown = NOTHING;
    this.next = null;
    this.problem = null;
    this.isThere = false;
  }

  /** The next page that has anything in it: what is rare is sought a piece at a time, and a piece may be empty. */
  private async page(cursor: string, signal: AbortSignal): Promise<Page<Event>> {
    let page: Page<Event> = { items: [], next: cursor };
    for (let pieces = 0; pieces < MOST_PIECES && page.items.length === 0 && page.next !== null; pieces++) {
      page = await api.get<Page<Event>>('/events', { query: { ...this.filters, cursor: page.next, limit: LIMIT }, signal });
    }
    return page;
  }
}

/** Look after an event. It is all the same who was first: the answer is what is known of it now. */
export async function acknowledge(id: string, by: string, text = ''): Promise<EventDetail> {
  try {
    const answer = await api.post<EventDetail>(`/events/${encodeURIComponent(id)}/acknowledgement`, { text });
    // Where the index is behind, the answer does not know yet what was just done.
    return answer.acknowledged ? answer : { ...answer, acknowledged: { at: new Date().toISOString(), by } };
  } catch (error) {
    const problem = toProblem(error);
    if (problem.kind === 'acknowledged') return api.get<EventDetail>(`/events/${encodeURIComponent(id)}`);
    throw error;
  }
}
