// Devices: how they are found and asked, what they are able to do, where they are from, and how they are turned.
import type { Time } from './common.ts';

export interface Identity {
  vendor: string;
  model: string;
  firmware: string;
  serial: string;
  mac: string;
  hardware: string;
}

export interface FoundDevice {
  address: string;
  device_url: string;
  vendor: string;
  model: string;
  firmware: string;
  serial: string;
  mac: string;
  name: string;
  /** What it shows over https; nobody has checked it. */
  certificate_sha256: string | null;
  /** The camera that it is already; null for a new one. */
  known_as: string | null;
  has_moved: boolean;
}

export interface DeviceSearch {
  id: string;
  state: 'running' | 'done' | 'failed';
  progress: number;
  started: Time;
  problem: string;
  items: FoundDevice[];
}

export interface StreamProfile {
  token: string;
  name: string;
  url: string;
  codec: string;
  width_px: number | null;
  height_px: number | null;
  fps: number | null;
  kbit_per_s: number | null;
  keyframe_interval_s: number | null;
  has_ptz: boolean;
  has_metadata: boolean;
}

export interface LookedAt {
  identity: Identity | null;
  profiles: StreamProfile[];
  clock_offset_s: number | null;
  certificate_sha256: string | null;
  warnings: string[];
  problem: string;
  remedy: string;
}

export interface Device {
  camera: string;
  device_url: string | null;
  identity: Identity | null;
  seen: Time | null;
  is_reachable: boolean | null;
  problem: string;
  warnings: { kind: string; detail: string }[];
  profiles: StreamProfile[];
  health: {
    asked: Time | null;
    clock_offset_s: number | null;
    ntp: string | null;
    temperature_c: number | null;
    uptime_s: number | null;
    storage: { name: string; state: string; free_bytes: number | null; total_bytes: number | null }[];
  };
  stream: {
    fps: number | null;
    nominal_fps: number | null;
    kbit_per_s: number | null;
    nominal_kbit_per_s: number | null;
    received_packets: number | null;
    lost_packets: number | null;
    keyframe_interval_s: number | null;
  } | null;
}

export interface Origin {
  vendor: string;
  oem: string;
  model: string;
  firmware: string;
  integrator: string;
  contract: string;
  cost: number | null;
  currency: string;
  installed: string | null;
  legal_basis: string;
  purpose: string;
  note: string;
}

export type CameraOrigin = Origin & { device: { vendor: string; model: string; firmware: string } | null; etag: string };

export type Level = 'yes' | 'no' | 'unknown';
export type Ability = 'detect' | 'capture' | 'recognise';

export interface AuditSummary {
  /** Null for a camera that was never audited. */
  id: string | null;
  camera: string;
  site: string;
  made: Time | null;
  identity: Identity | null;
  detect: Level;
  capture: Level;
  recognise: Level;
  is_armed: Level;
  has_library: Level;
  auto_tracking: Level;
  libraries: number | null;
  entries: number | null;
  has_drifted: boolean;
}

export interface Finding {
  ability: Ability;
  level: Level;
  because: string;
  evidence: number;
}

export interface Evidence {
  number: number;
  question: string;
  asked: Time;
  outcome: string;
  http_status: number | null;
  sha256: string;
  size_bytes: number;
  content_type: string;
  has_content: boolean;
  counts: Record<string, number>;
  problem: string;
}

export type Audit = AuditSummary & { id: string; made: Time; dialects: string[]; drift: string[]; armed: string[]; findings: Finding[]; evidence: Evidence[] };

export interface AuditJob {
  id: string;
  state: 'running' | 'done' | 'failed';
  done: number;
  total: number;
  problems: { camera: string; problem: string }[];
}

export interface DisarmPlan {
  steps: { what: string; now: string; then: string }[];
  problem: string;
}

export interface Disarm {
  id: string;
  camera: string;
  at: Time;
  by: string;
  authorisation: string;
  reference: string;
  state: 'done' | 'unconfirmed' | 'partial' | 'failed' | 'rolled_back';
  steps: { what: string; before: string; after: string; is_done: boolean; problem: string }[];
  problems: string[];
  audit_before: string | null;
  audit_after: string | null;
  rolled_back: Time | null;
  rolled_back_by: string;
  rollback_steps: { what: string; before: string; after: string; is_done: boolean; problem: string }[];
  rollback_audit: string | null;
}

export interface Firmware {
  camera: string;
  site: string;
  vendor: string;
  model: string;
  firmware: string;
  seen: Time | null;
  advisories: { id: string; title: string; severity: string; fixed_in: string; url: string; state: 'affected' | 'unknown' }[];
  bans: { list: string; entry: string; note: string }[];
}

export interface FirmwareInventory {
  items: Firmware[];
  list: { name: string; published: string; updated: Time | null; advisories: number; bans: number };
}

export interface ImportReport {
  dry_run: boolean;
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  errors: { line: number; column: string; problem: string; remedy: string }[];
  cameras: { line: number; name: string; url: string; site: string; action: 'add' | 'change' | 'unchanged' }[];
}

export interface ImportProfile {
  name: string;
  fields: Record<string, string | number | string[]>;
}

export interface Uptime {
  from: Time;
  to: Time;
  by: 'site' | 'camera';
  items: {
    site: string;
    camera: string | null;
    cameras: number;
    asked_s: number;
    scheduled_s: number;
    recorded_s: number;
    uptime: number | null;
    outages: number;
    longest_outage_s: number;
    by_cause: Record<string, number>;
  }[];
}

export interface Ptz {
  has_ptz: boolean;
  problem: string;
  presets: { token: string; name: string }[];
  tours: { name: string; steps: { preset: string; stay_s: number }[]; is_running: boolean }[];
  is_moving: boolean;
}
