// Why a live picture is not to be had, in one word for the tile: from the code that its socket was closed with, or, where a
// browser hides why a socket was refused, from the same stream as a playlist, which the same permission guards.
import { api, Problem, urlOf } from '../api/client.ts';

/** `blocked`: the server would have let us, so something on the way lets no WebSocket through. */
export type Refusal = 'signed_out' | 'forbidden' | 'full' | 'unrecorded' | 'blocked';

const CODES: Readonly<Record<number, Refusal>> = { 4401: 'signed_out', 4403: 'forbidden', 4429: 'full' };
const FAILED = 1011; // also of a bug and of a line that went dead: only its reason tells them apart
const UNRECORDED = 'this view cannot be put on the record';
const NO_STORE = new Set(['store', 'busy']);

/** Each next wait is twice as long, from the first to the last. */
const WAITS_MS: Readonly<Record<Refusal, readonly [first: number, most: number]>> = {
  signed_out: [30_000, 300_000],
  forbidden: [30_000, 300_000],
  full: [5_000, 60_000],
  unrecorded: [15_000, 60_000],
  blocked: [15_000, 120_000],
};

/** What a close says; null for what is no refusal, such as a restart or a network that went away. */
export function refusalOfClose(code: number, reason: string): Refusal | null {
  if (code === FAILED) return reason === UNRECORDED ? 'unrecorded' : null;
  return CODES[code] ?? null;
}

/** How long to leave the server alone after it has refused so many times in a row. */
export function waitMs(refusal: Refusal, times: number, random: () => number = Math.random): number {
  const [first, most] = WAITS_MS[refusal];
  const wait = Math.min(most, first * 2 ** Math.min(times, 10));
  // A quarter of it by chance, so that all tiles of all walls do not come back in the same moment.
  return wait * (0.75 + 0.25 * random());
}

/** Asks the server: a refusal, `allowed` where it would let us watch, `unknown` where it did not say. */
export async function askWhy(camera: string, signal: AbortSignal): Promise<Refusal | 'allowed' | 'unknown'> {
  try {
    const response = await api.open(urlOf(`/cameras/${encodeURIComponent(camera)}/live.m3u8`), signal);
    await response.body?.cancel();
    return 'allowed';
  } catch (error) {
    return error instanceof Problem ? refusalOfProblem(error) : 'unknown';
  }
}

function refusalOfProblem({ status, kind, detail }: Problem): Refusal | 'allowed' | 'unknown' {
  if (status === 401) return 'signed_out';
  if (status === 403) return 'forbidden';
  if (status === 404) return kind === 'no-picture' ? 'allowed' : 'forbidden';
  // Too many requests of ours are no word on whether we may watch.
  if (status === 429) return kind === 'rate' ? 'unknown' : 'full';
  // Without a problem document it is a proxy that speaks, and the server is away.
  if (status === 503 && detail) return NO_STORE.has(kind) ? 'unrecorded' : 'full';
  return 'unknown';
}
