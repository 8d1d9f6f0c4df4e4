// A WebSocket that comes back: the server restarts, a laptop sleeps, and the page need not know.

export type SocketState = 'connecting' | 'open' | 'waiting' | 'closed';

export interface Listener {
  onText?: (text: string) => void;
  onBinary?: (bytes: ArrayBuffer) => void;
  onState?: (state: SocketState) => void;
  /** Told before the state; a refused one never opened, and its code says nothing. */
  onEnd?: (end: SocketEnd) => void;
  /** Of a server that always has a word: a connection that is silent for longer is dead, which a browser learns much later. */
  silentMs?: number;
}

export interface SocketEnd {
  wasOpen: boolean;
  code: number;
  reason: string;
}

export interface SocketOutside {
  open: (url: string) => WebSocket;
  after: (ms: number, then: () => void) => () => void;
  random: () => number;
  nowMs: () => number;
}

const FIRST_MS = 500;
const MOST_MS = 15_000;
// A connection that held for so long was a good one: the next try comes at once again.
const STEADY_MS = 10_000;
// A line that swallows everything does not refuse either.
const OPENING_MS = 10_000;
const DEAD = 1006; // what a browser says of a connection that ended without a word

const OUTSIDE: SocketOutside = {
  open: (url) => new WebSocket(url),
  after: (ms, then) => {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
  random: Math.random,
  nowMs: () => performance.now(),
};

const CONNECTING = 0;

/** Browsers complain of a connection that is closed before it stands, as if something had failed: it is closed as soon as it does. */
function letGo(socket: WebSocket): void {
  if (socket.readyState === CONNECTING) socket.onopen = () => socket.close();
  else socket.close();
}

/** Connects at once and again after every loss, at growing intervals, until it is closed. */
export class Socket {
  state: SocketState = 'connecting';
  private socket: WebSocket | null = null;
  private failures = 0;
  private openedMs = 0;
  private heardMs = 0;
  private cancel: () => void = () => undefined;
  private unwatch: () => void = () => undefined;

  constructor(
    private readonly path: string,
    private readonly listener: Listener,
    private readonly outside: SocketOutside = OUTSIDE,
  ) {
    this.connect();
  }

  /** Sent if the connection stands; nothing is kept for later. */
  send(word: unknown): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(word));
  }

  close(): void {
    this.cancel();
    this.unwatch();
    this.tell('closed');
    const socket = this.socket;
    this.socket = null;
    if (socket) letGo(socket);
  }

  /** Connect now, whatever the interval: the person at the screen asked, or the network is back. */
  hurry(): void {
    if (this.state !== 'waiting') return;
    this.cancel();
    this.connect();
  }

  private connect(): void {
    this.tell('connecting');
    const socket = this.outside.open(socketUrl(this.path));
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    this.watch();
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.openedMs = this.outside.nowMs();
      this.tell('open');
      this.watch();
    };
    socket.onmessage = (message: MessageEvent<string | ArrayBuffer>) => {
      if (this.socket !== socket) return;
      this.heardMs = this.outside.nowMs();
      if (typeof message.data === 'string') this.listener.onText?.(message.data);
      else this.listener.onBinary?.(message.data);
    };
    socket.onclose = ({ code, reason }: CloseEvent) => {
      if (this.socket === socket) this.lost(code, reason);
    };
  }

  /** Begin to wait for a word, or for the connection itself. */
  private watch(): void {
    this.unwatch();
    this.heardMs = this.outside.nowMs();
    const { silentMs } = this.listener;
    if (silentMs) this.look(this.state === 'open' ? silentMs : OPENING_MS);
  }

  private look(mostMs: number): void {
    const leftMs = this.heardMs + mostMs - this.outside.nowMs();
    if (leftMs > 0) {
      this.unwatch = this.outside.after(leftMs, () => this.look(mostMs));
      return;
    }
    const socket = this.socket;
    this.lost(DEAD, '');
    // Nobody answers its goodbye either: it is not waited for.
    socket?.close();
  }

  private lost(code: number, reason: string): void {
    this.unwatch();
    this.socket = null;
    const wasOpen = this.state === 'open';
    this.listener.onEnd?.({ wasOpen, code, reason });
    // Whoever heard that may have closed it.
    if ((this.state as SocketState) === 'closed') return;
    const heldMs = wasOpen ? this.outside.nowMs() - this.openedMs : 0;
    this.failures = heldMs >= STEADY_MS ? 0 : this.failures + 1;
    const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.max(0, this.failures - 1));
    this.tell('waiting');
    // Half of it by chance, or all pages of a house come back in the same moment.
    this.cancel = this.outside.after(most / 2 + (most / 2) * this.outside.random(), () => this.connect());
  }

  private tell(state: SocketState): void {
    if (this.state === state && state !== 'connecting') return;
    this.state = state;
    this.listener.onState?.(state);
  }
}

/** The address of a socket of the API on the page's own server. */
export function socketUrl(path: string): string {
  const { protocol, host } = globalThis.location;
  const base = path.startsWith('/api/') ? path : `/api/v1${path}`;
  return `${protocol === 'https:' ? 'wss' : 'ws'}://${host}${base}`;
}
