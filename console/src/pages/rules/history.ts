// What was done, to undo it: every state of a thing that is only ever replaced as a whole.

const MOST = 200;

export interface History<T> {
  readonly past: readonly T[];
  readonly now: T;
  readonly future: readonly T[];
  /** What the last change was; the next one of the same name goes into it, as the steps of one drag. */
  readonly gesture: string;
}

export function begin<T>(now: T): History<T> {
  return { past: [], now, future: [], gesture: '' };
}

/** A change. With a `gesture` that goes on, it can be undone only as a whole. */
export function change<T>(history: History<T>, now: T, gesture = ''): History<T> {
  if (now === history.now) return history;
  const goesOn = gesture !== '' && gesture === history.gesture;
  const past = goesOn ? history.past : [...history.past, history.now].slice(-MOST);
  return { past, now, future: [], gesture };
}

/** The gesture is over: the next change can be undone by itself. */
export function rest<T>(history: History<T>): History<T> {
  return history.gesture ? { ...history, gesture: '' } : history;
}

export function undo<T>(history: History<T>): History<T> {
  const now = history.past.at(-1);
  if (now === undefined) return history;
  return { past: history.past.slice(0, -1), now, future: [history.now, ...history.future], gesture: '' };
}

export function redo<T>(history: History<T>): History<T> {
  const [now, ...future] = history.future;
  if (now === undefined) return history;
  return { past: [...history.past, history.now], now, future, gesture: '' };
}
