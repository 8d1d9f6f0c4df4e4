// Live and recorded pictures, the time that a view opens, and holds on it.
import type { Gap, Reduction } from './cameras.ts';
import type { Severity, Time } from './common.ts';

/** What the socket of a camera sends as text. */
export type LiveWord =
  | { type: 'init'; codec: string; width_px: number; height_px: number; mime: string; run: number }
  | { type: 'end'; reason: string }
  | { type: 'state'; state: 'waiting' | 'lost' }
  | { type: 'dropped'; fragments: number }
  /** Nothing else is to be told, and the line holds. */
  | { type: 'ping' };

export interface View {
  id: string;
  cameras: string[];
  from: Time;
  to: Time;
  expires: Time;
  reason: string | null;
}

export interface EventMark {
  id: string;
  type: string;
  severity: Severity;
  from: Time;
  to: Time | null;
}

export interface Timeline {
  from: Time;
  to: Time;
  spans: { from: Time; to: Time; kind: 'masked' }[];
  gaps: Gap[];
  covered: { from: Time; to: Time | null; cause: string }[];
  forgotten: { from: Time; to: Time }[];
  reductions: Reduction[];
  events: EventMark[];
  event_density: { from: Time; count: number; worst: Severity }[] | null;
}

/** offset, length, from_ms (since 1970), duration_ms, decode_90k, frames */
export type Fragment = [number, number, number, number, number, number];

export interface MediaPart {
  id: string;
  mime: string;
  init: { offset: number; length: number };
  url: string;
  from: Time;
  to: Time;
  fragments: Fragment[];
}

export interface Media {
  camera: string;
  from: Time;
  to: Time;
  parts: MediaPart[];
  gaps: { from: Time; to: Time; cause: string }[];
  covered: { from: Time; to: Time }[];
}

export interface Hold {
  id: string;
  camera: string;
  from: Time;
  to: Time;
  placed: Time;
  placed_by: string;
  reason: string;
  released: Time | null;
  released_by: string | null;
}
