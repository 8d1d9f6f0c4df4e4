// How far a joystick is pushed, and the commands that it makes: a few a second while it is held, and one stop.

export interface Push {
  pan: number;
  tilt: number;
  zoom: number;
}

export const REST: Push = { pan: 0, tilt: 0, zoom: 0 };
const DEAD = 0.12;

const limited = (value: number): number => Math.max(-1, Math.min(1, value));
const eased = (value: number): number => (Math.abs(value) < DEAD ? 0 : Math.round(limited(value) * 100) / 100);

/** Of a pointer at `x`, `y` on a pad; up is positive, and the middle rests. */
export function pushAt(x: number, y: number, pad: { left: number; top: number; width: number; height: number }): Push {
  const pan = ((x - pad.left) / pad.width) * 2 - 1;
  const tilt = 1 - ((y - pad.top) / pad.height) * 2;
  return { pan: eased(pan), tilt: eased(tilt), zoom: 0 };
}

const OF_KEYS: Record<string, Partial<Push>> = {
  ArrowLeft: { pan: -0.5 },
  ArrowRight: { pan: 0.5 },
  ArrowUp: { tilt: 0.5 },
  ArrowDown: { tilt: -0.5 },
  '+': { zoom: 0.5 },
  '-': { zoom: -0.5 },
};

/** Of the keys that are held down; null where none of them turns anything. */
export function pushOf(keys: Iterable<string>): Push | null {
  const push = { ...REST };
  let isOne = false;
  for (const key of keys) {
    const found = OF_KEYS[key];
    if (!found) continue;
    isOne = true;
    for (const [axis, value] of Object.entries(found)) push[axis as keyof Push] = limited(push[axis as keyof Push] + value);
  }
  return isOne ? push : null;
}

export const isResting = (push: Push): boolean => push.pan === 0 && push.tilt === 0 && push.zoom === 0;

export interface Commands {
  move: (push: Push & { for_s: number }) => Promise<unknown>;
  stop: () => Promise<unknown>;
}

/**
 * Sends what is pushed as long as it is pushed. A command lasts a little longer than the pause to the next, so that the camera
 * turns smoothly, and stands still by itself when the page goes away. Never two commands at once: a slow camera gets fewer.
 */
export class Stick {
  private push: Push = REST;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private isSending = false;
  private hasMoved = false;

  constructor(
    private readonly commands: Commands,
    private readonly onProblem: (error: unknown) => void,
    private readonly everyMs = 300,
    private readonly for_s = 0.8,
  ) {}

  set(push: Push): void {
    this.push = push;
    // What is let go stops at once, and not with the next command.
    if (this.timer && isResting(push)) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (!this.timer && !this.isSending) void this.send();
  }

  rest(): void {
    this.set(REST);
  }

  private async send(): Promise<void> {
    this.timer = null;
    const push = this.push;
    const stops = isResting(push);
    if (stops && !this.hasMoved) return;
    this.isSending = true;
    try {
      await (stops ? this.commands.stop() : this.commands.move({ ...push, for_s: this.for_s }));
      this.hasMoved = !stops;
    } catch (error) {
      this.push = REST;
      this.onProblem(error);
    } finally {
      this.isSending = false;
    }
    if (!isResting(this.push)) this.timer = setTimeout(() => void this.send(), this.everyMs);
    else if (this.hasMoved && !stops) void this.send();
  }
}
