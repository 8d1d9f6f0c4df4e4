// What the parts of the card that turns a camera share.

/** Gives an order; what goes wrong is shown, and what has changed is read again. */
export type Ordering = (step: () => Promise<unknown>) => Promise<void>;

/** A tour's stops with one more at its end, or without it where it is one already. */
export function toggled(stops: readonly string[], token: string): string[] {
  return stops.includes(token) ? stops.filter((one) => one !== token) : [...stops, token];
}
