// The node as a whole: how it stands, what is configured, what is on the record, who is told.
import type { Severity, Time } from './common.ts';

export interface Site {
  id: string;
  name: string;
  cameras: string[];
}

export interface Alarm {
  kind: string;
  severity: Severity;
  camera: string | null;
  detail: string;
}

export interface Process {
  name: string;
  role: string;
  state: 'running' | 'dead';
  restarts: number;
  reason: string;
  memory_bytes: number | null;
}

export interface Custodians {
  n: number;
  k: number;
  trial: boolean;
}

export interface System {
  version: string;
  started: Time;
  uptime_s: number;
  site_name: string;
  timezone: string;
  trial_keys: boolean;
  disk: { free_bytes: number; total_bytes: number; held_bytes: number };
  index_problem: string;
  processes: Process[];
  alarms: Alarm[];
  server: { viewers: number; live_viewers: number; requests_total: number; slow_viewers_dropped: number };
  custodians: Custodians;
  retention: Retention;
  masking: { preset: string; look_back_s: number; face_model: string };
  privacy: Record<string, unknown>;
}

export interface Retention {
  sealed_days: number | null;
  masked_days: number | null;
  max_gb: number | null;
  keep_free_gb: number | null;
  counts_days: number | null;
  rollup_days: number | null;
  events_days: number | null;
}

export interface Privacy {
  cameras: { camera: string; preset: string; sealed_days?: number | null; masked_days?: number | null }[];
  retention: Partial<Retention>;
  holds: number;
  /** Keys of sentences, such as `faces`. */
  lines: string[];
  custodians: Custodians;
  last_destroyed: Time | null;
}

export interface Act {
  id: string;
  kind: string;
  at: Time;
  actor: string;
  subject: string;
  detail: Record<string, unknown>;
}

export interface Configuration {
  tables: Record<string, unknown>;
  /** For `If-Match`; null where there is no configuration file. */
  etag?: string | null;
}

export interface Carrier {
  name: string;
  /** Empty for one that is not configured any more. */
  kind: string;
  target: string;
  events: { severity: Severity; types: string[]; cameras: string[] } | null;
  waiting: number;
  oldest: Time | null;
  dead: number;
  delivered: number;
  last_problem: string;
}

export interface CarrierTest {
  ok: boolean;
  problem: string;
  remedy?: string;
}

export interface DeadLetter {
  id: string;
  type: string;
  camera: string | null;
  at: Time;
  attempts: number;
  problem: string;
}

export interface Backup {
  file: string;
  made: Time;
  size_bytes: number;
}
