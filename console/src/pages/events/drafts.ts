// Comments that are being written, each to its event: whoever looks at another event meanwhile finds theirs again.
import { SvelteMap } from 'svelte/reactivity';

// Nobody has more of them open in mind; the oldest goes first.
const MOST = 100;

export class Drafts {
  private readonly texts = new SvelteMap<string, string>();

  of(id: string): string {
    return this.texts.get(id) ?? '';
  }

  keep(id: string, text: string): void {
    if (!text) {
      this.texts.delete(id);
      return;
    }
    this.texts.set(id, text);
    if (this.texts.size > MOST) this.texts.delete(this.texts.keys().next().value!);
  }

  /** It was sent. What was written on to it since stays. */
  sent(id: string, text: string): void {
    if (this.of(id).trim() === text) this.texts.delete(id);
  }
}
