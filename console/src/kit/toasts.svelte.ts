// Short words that come and go: something was saved, something was copied. What needs an answer is no toast.
import type { Tone } from './tones.ts';

export interface Toast {
  id: number;
  text: string;
  tone: Tone;
}

const SHOWN_MS = 5000;
const MOST = 4;

class Toasts {
  all = $state.raw<Toast[]>([]);
  private last = 0;

  say(text: string, tone: Tone = 'ok'): void {
    const id = ++this.last;
    this.all = [...this.all, { id, text, tone }].slice(-MOST);
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.all = this.all.filter((toast) => toast.id !== id);
  }
}

export const toasts = new Toasts();
