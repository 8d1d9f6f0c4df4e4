// Events, their notes, and what the feed tells.
import type { Severity, Time } from './common.ts';

export interface Event {
  id: string;
  type: string;
  severity: Severity;
  camera: string | null;
  site: string | null;
  rule: string | null;
  place: string | null;
  kind: string | null;
  count: number | null;
  value: number | null;
  unit: string | null;
  limit: number | null;
  level: number | null;
  ways: string[];
  note: string;
  started: Time;
  ended: Time | null;
  snapshot: string | null;
  acknowledged: { at: Time; by: string } | null;
  comments: number;
}

export interface EventNote {
  id: string;
  kind: 'acknowledged' | 'comment';
  at: Time;
  by: string;
  text: string;
}

export type EventDetail = Event & { notes: EventNote[] };

export type FeedWord = { type: 'event'; event: Event } | { type: 'ping' };
