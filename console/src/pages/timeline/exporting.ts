// Fetches a masked clip with its progress, so that a large one can be watched coming, and stopped.
import { api, urlOf } from '../../api/client.ts';
import type { View } from '../../api/types.ts';
import { rfc3339 } from '../../app/clock.ts';

export const LONGEST_CLIP_MS = 3_600_000;

export interface Clip {
  blob: Blob;
  name: string;
  /** As the server told it, and as it stands in the acts; hexadecimal, empty where it told none. */
  sha256: string;
}

export interface Wanted {
  camera: string;
  fromMs: number;
  toMs: number;
  reason: string;
}

/** The clip; a view of its own is opened first, with the reason that stands in the acts beside it. */
export async function fetchClip(wanted: Wanted, onProgress: (done: number, all: number | null) => void, signal: AbortSignal): Promise<Clip> {
  const { camera, reason } = wanted;
  const span = { from: rfc3339(wanted.fromMs), to: rfc3339(wanted.toMs) };
  const view = await api.post<View>('/views', { cameras: [camera], ...span, ...(reason ? { reason } : {}) }, { signal });
  const response = await api.open(urlOf(`/cameras/${encodeURIComponent(camera)}/clip.mp4`, { ...span, view: view.id }), signal);
  const all = Number(response.headers.get('content-length')) || null;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = response.body!.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    done += piece.value.byteLength;
    onProgress(done, all);
  }
  const name = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? `${camera}.mp4`;
  return { blob: new Blob(pieces, { type: 'video/mp4' }), name, sha256: digestOf(response.headers.get('repr-digest')) };
}

/** The hexadecimal form of `sha-256=:BASE64:` (RFC 9530). */
export function digestOf(header: string | null): string {
  const found = /sha-256=:([A-Za-z0-9+/=]+):/.exec(header ?? '')?.[1];
  if (!found) return '';
  return Array.from(atob(found), (letter) => letter.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

/** Hand a file to the person, as a download. */
export function save({ blob, name }: Clip): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
