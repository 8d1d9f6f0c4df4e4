// Speaks to the server: one place that knows of CSRF, problem documents, entity tags, idempotency keys and a server that restarts.

export const API = '/api/v1';

export type Query = Record<string, string | number | boolean | null | undefined | readonly string[]>;

export interface Ask {
  query?: Query;
  signal?: AbortSignal;
  /** The entity tag of what was read, so that nobody overwrites what another has changed meanwhile. */
  ifMatch?: string;
  /** For a POST: the same key twice does it once. Made anew for every call where none is given. */
  idempotencyKey?: string;
  /** False for what must tell at once that the server is away. */
  retries?: boolean;
}

export interface Mistake {
  at: string;
  problem: string;
}

/** What went wrong, as the server tells it (RFC 9457); `status` is 0 where no answer came at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** The name for programs, such as `totp-required`; empty where there is none. */
    readonly kind: string,
    readonly detail: string,
    readonly remedy = '',
    readonly errors: readonly Mistake[] = [],
    readonly retryAfterS: number | null = null,
  ) {
    super(detail || `status ${status}`);
    this.name = 'Problem';
  }

  get isUnreachable(): boolean {
    return this.status === 0;
  }

  /** What is wrong at a field, `at` being the end of the place that the server names: `name` for `body.name`. */
  at(field: string): string {
    const found = this.errors.find((each) => each.at === field || each.at.endsWith(`.${field}`));
    return found?.problem ?? '';
  }
}

export interface Tagged<T> {
  value: T;
  etag: string;
}

export interface Outside {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  pause: (ms: number, signal?: AbortSignal) => Promise<void>;
  key: () => string;
}

const KIND = 'urn:lamppost:problem:';
// Of the head of an answer: a line that went dead would keep the page waiting for many minutes.
const ANSWER_MS = 30_000;
const AWAY = new Set([502, 503, 504]);
// A restart takes some seconds; after these pauses the page says that the server is away.
const PAUSES_MS = [300, 700, 1500, 3000];

export class Client {
  /** Of the session; sent with everything that changes something. */
  csrf = '';
  /** Called when the server does not know us any more. */
  onSignedOut: () => void = () => undefined;
  /** Called after every try: whether an answer came. */
  onReached: (isReached: boolean) => void = () => undefined;
  /** Whether the page asks by itself, with nobody there: the server lets that keep no session alive. */
  isBackground: () => boolean = () => false;

  constructor(private readonly outside: Outside) {}

  async get<T>(path: string, ask: Ask = {}): Promise<T> {
    return (await this.getTagged<T>(path, ask)).value;
  }

  async getTagged<T>(path: string, ask: Ask = {}): Promise<Tagged<T>> {
    const response = await this.ask('GET', path, undefined, ask);
    return { value: (await read(response)) as T, etag: response.headers.get('etag') ?? '' };
  }

  post<T>(path: string, body?: unknown, ask: Ask = {}): Promise<T> {
    return this.send<T>('POST', path, body, { ...ask, idempotencyKey: ask.idempotencyKey ?? this.outside.key() });
  }

  put<T>(path: string, body: unknown, ask: Ask = {}): Promise<T> {
    return this.send<T>('PUT', path, body, ask);
  }

  patch<T>(path: string, body: unknown, ask: Ask = {}): Promise<T> {
    return this.send<T>('PATCH', path, body, ask);
  }

  delete<T>(path: string, ask: Ask = {}): Promise<T> {
    return this.send<T>('DELETE', path, undefined, ask);
  }

  private async send<T>(method: string, path: string, body: unknown, ask: Ask): Promise<T> {
    return (await read(await this.ask(method, path, body, ask))) as T;
  }

  /** Bytes, such as a fragment of video; `range` as in HTTP. */
  async bytes(url: string, range: string | null, signal?: AbortSignal): Promise<ArrayBuffer> {
    const response = await this.settled(url, { method: 'GET', headers: range ? { Range: range } : {}, signal: signal ?? null }, true, signal);
    if (!response.ok) throw await this.refused(response);
    return response.arrayBuffer();
  }

  /** The answer itself, for what is read as it comes; asked once. */
  async open(url: string, signal?: AbortSignal): Promise<Response> {
    const response = await this.settled(url, { method: 'GET', credentials: 'same-origin', signal: signal ?? null }, false, signal);
    if (!response.ok) throw await this.refused(response);
    return response;
  }

  private async ask(method: string, path: string, body: unknown, ask: Ask): Promise<Response> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && this.csrf) headers['X-CSRF-Token'] = this.csrf;
    if (ask.ifMatch) headers['If-Match'] = ask.ifMatch;
    if (ask.idempotencyKey) headers['Idempotency-Key'] = ask.idempotencyKey;
    const init: RequestInit = { method, headers, credentials: 'same-origin', signal: ask.signal ?? null };
    if (body !== undefined) init.body = JSON.stringify(body);
    const response = await this.settled(urlOf(path, ask.query), init, method === 'GET' && ask.retries !== false, ask.signal);
    if (response.ok) return response;
    throw path.startsWith('/session') ? await problemOf(response) : await this.refused(response);
  }

  /** The problem of an answer; where the server does not know us any more, all of the console learns of it. */
  private async refused(response: Response): Promise<Problem> {
    const problem = await problemOf(response);
    if (problem.status === 401) this.onSignedOut();
    return problem;
  }

  private async answer(url: string, init: RequestInit): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string> | undefined), ...(this.isBackground() ? { 'X-Lamppost-Background': '1' } : {}) };
    if (init.method !== 'GET') return this.outside.fetch(url, { ...init, headers });
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), ANSWER_MS);
    try {
      const signal = init.signal ? AbortSignal.any([init.signal, late.signal]) : late.signal;
      return await this.outside.fetch(url, { ...init, headers, signal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** The answer; where `retries`, one that comes after the server is back. */
  private async settled(url: string, init: RequestInit, retries: boolean, signal?: AbortSignal): Promise<Response> {
    for (let attempt = 0; ; attempt++) {
      const pause = retries ? PAUSES_MS[attempt] : undefined;
      try {
        const response = await this.answer(url, init);
        this.onReached(!AWAY.has(response.status) || isProblem(response));
        if (pause === undefined || !AWAY.has(response.status)) return response;
      } catch (error) {
        if (signal?.aborted) throw error;
        this.onReached(false);
        if (pause === undefined) throw new Problem(0, 'unreachable', '');
      }
      await this.outside.pause(pause, signal);
    }
  }
}

/** Whether an error says that the asker gave up; nothing is wrong then. */
export function isAborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** Any error as a problem, to show it. */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(0, 'bug', error instanceof Error ? error.message : String(error));
}

/** The address of a resource, also for `<img src>`. */
export function urlOf(path: string, query: Query = {}): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue;
    for (const each of Array.isArray(value) ? value : [value]) parts.append(name, String(each));
  }
  const base = path.startsWith(API) || !path.startsWith('/') ? path : API + path;
  const text = parts.toString();
  return text ? `${base}${base.includes('?') ? '&' : '?'}${text}` : base;
}

function isProblem(response: Response): boolean {
  return (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
}

async function read(response: Response): Promise<unknown> {
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

async function problemOf(response: Response): Promise<Problem> {
  const after = Number(response.headers.get('retry-after') ?? NaN);
  const retryAfterS = Number.isFinite(after) ? after : null;
  if (!isProblem(response)) return new Problem(response.status, '', '', '', [], retryAfterS);
  const told = (await response.json()) as { type?: string; detail?: string; title?: string; remedy?: string; errors?: Mistake[] };
  const kind = told.type?.startsWith(KIND) ? told.type.slice(KIND.length) : '';
  return new Problem(response.status, kind, told.detail || told.title || '', told.remedy ?? '', told.errors ?? [], retryAfterS);
}

/** Random also where the page came over plain http, where `crypto.randomUUID` is missing. */
export function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('given up', 'AbortError'));
    });
  });
}

export const api = new Client({ fetch: (url, init) => fetch(url, init), pause, key: randomKey });
