// Cameras: how they stand, their settings, what testing one tells, and what was not recorded.
import type { Permission, Severity, Time } from './common.ts';
import type { Alarm } from './node.ts';

export type CameraState =
  | 'recording'
  | 'connecting'
  | 'lost'
  | 'refused'
  | 'unsupported'
  | 'not_scheduled'
  | 'held'
  | 'starting'
  | 'off';

export type MaskingState = 'masked' | 'covered' | 'behind' | 'off';

export interface Camera {
  name: string;
  site: string;
  /** As grants and filters name it. */
  site_id: string;
  state: CameraState;
  detail: string;
  since: Time | null;
  masking: { state: MaskingState; behind_s: number; step: string | null; covered_cause: string | null };
  picture: { width_px: number; height_px: number; fps: number | null; codec: string } | null;
  preset: string;
  has_rules: boolean;
  has_sub: boolean;
  live: boolean;
  last_picture: Time | null;
  alarms: Alarm[];
  can: Permission[];
}

/** With its settings, which are null for who may not edit it. */
export type CameraDetail = Camera & {
  url: string | null;
  sub_url: string | null;
  username: string | null;
  has_password: boolean | null;
  /** Whether it may have the password itself, unencrypted; null: until it has taken a digest. */
  allow_basic: boolean | null;
  transport: 'tcp' | 'udp' | null;
  certificate_sha256: string | null;
  device_url: string | null;
  device_certificate_sha256: string | null;
  own_preset: string | null;
  own_site: string | null;
  schedule: string[] | null;
  retention: { sealed_days: number | null; masked_days: number | null; max_gb: number | null } | null;
  rules_file: string | null;
  etag: string | null;
};

/** What may be set of a camera; null takes it out, so that its default holds. */
export interface CameraSettings {
  url?: string;
  sub_url?: string | null;
  username?: string | null;
  password?: string | null;
  allow_basic?: boolean | null;
  device_url?: string | null;
  device_certificate_sha256?: string | null;
  transport?: 'tcp' | 'udp' | null;
  preset?: string | null;
  schedule?: string[] | null;
  certificate_sha256?: string | null;
  sealed_days?: number | null;
  masked_days?: number | null;
  site?: string | null;
}

export type NewCamera = CameraSettings & { name: string; url: string };

export interface StreamReport {
  codec: string;
  width_px: number;
  height_px: number;
  fps: number | null;
  kbit_per_s: number;
  keyframe_interval_s: number | null;
  first_picture_s: number;
  warnings: string[];
}

export interface CameraTest {
  ok: boolean;
  main: StreamReport | null;
  sub: StreamReport | null;
  problem: string;
  remedy: string;
}

export interface Gap {
  id: string;
  cause: string;
  from: Time;
  to: Time | null;
  detail: string;
}

export interface GapAccount {
  from: Time;
  until: Time;
  recorded_s: number;
  gap_s_by_cause: Record<string, number>;
  unexplained_s: number;
  masked_s: number;
  covered_s: number;
  forgotten_s: number;
  asked_s: number;
}

export interface Gaps {
  items: Gap[];
  account: GapAccount;
}

export interface Reduction {
  from: Time;
  to: Time | null;
  step: string;
}

export interface HealthEvent {
  id: string;
  type: string;
  severity: Severity;
  started: Time;
  ended: Time | null;
  detail: string;
}

export interface CameraHealth {
  events: HealthEvent[];
  reductions: Reduction[];
  alarms: Alarm[];
}
