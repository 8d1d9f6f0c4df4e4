// Keys that do something: those of the frame, and those of the page that is open, all listed under `?`.
import { untrack } from 'svelte';

import { keep, kept } from './kept.ts';
import { PAGES } from './pages.ts';

export interface Shortcut {
  /** As `KeyboardEvent.key` has it: `f`, `ArrowLeft`, ` `. */
  key: string;
  /** As the list shows it; the key itself where it is missing. One without a label is not listed: another stands for it. */
  shown?: string;
  label: string;
  run: (event: KeyboardEvent) => void;
}

const GO_MS = 1500;
const KEYS = 'lamppost-keys';

class Keys {
  /** Those of the page that is open. */
  page = $state.raw<(() => Shortcut[])[]>([]);
  isHelpOpen = $state(false);
  /** Whoever speaks to their machine, or hits keys by chance, may turn off those that write a character. */
  isOn = $state(kept(KEYS) !== 'off');
  private isGoing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  turn(isOn: boolean): void {
    this.isOn = isOn;
    keep(KEYS, isOn ? '' : 'off');
  }

  /** For a handler on the window; `go` opens a page. */
  handle(event: KeyboardEvent, go: (route: string) => void): void {
    if (event.defaultPrevented || isCommand(event) || isTyping(event.target) || (!this.isOn && isCharacter(event))) return;
    // A dialog has the keyboard to itself.
    if (document.querySelector('dialog[open]')) return;
    if (this.isGoing) {
      this.isGoing = false;
      const page = PAGES.find((each) => each.key === event.key);
      if (page) {
        event.preventDefault();
        go(page.route);
        return;
      }
    }
    if (event.key === 'g') {
      this.isGoing = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => (this.isGoing = false), GO_MS);
    } else if (event.key === '?') {
      event.preventDefault();
      this.isHelpOpen = true;
    } else {
      const found = this.page.flatMap((list) => list()).find((each) => each.key === event.key);
      // They press what has the focus, before they do anything of the page.
      if (!found || ((event.key === ' ' || event.key === 'Enter') && isPressable(event.target))) return;
      event.preventDefault();
      found.run(event);
    }
  }
}

export const keys = new Keys();

/** Keys of a page while its component lives: `pageKeys(() => [{ key: 'f', label: t('wall.full'), run: full }])`. */
export function pageKeys(list: () => Shortcut[]): void {
  $effect(() => {
    keys.page = [...untrack(() => keys.page), list];
    return () => {
      keys.page = keys.page.filter((each) => each !== list);
    };
  });
}

/** Belongs to the browser or the system. AltGr does not, though Windows tells it as Ctrl and Alt: many keyboards write `[` with it. */
function isCommand(event: KeyboardEvent): boolean {
  if (event.metaKey) return true;
  return (event.ctrlKey || event.altKey) && !(isCharacter(event) && event.getModifierState('AltGraph'));
}

/** Arrows, Home, Enter and Escape write none. */
function isCharacter(event: KeyboardEvent): boolean {
  return [...event.key].length === 1;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName));
}

function isPressable(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && /^(button|a|summary)$/i.test(target.tagName);
}
