// The API's documents, as docs/reference/api.md and /openapi.json describe them. Names follow the JSON.

/** RFC 3339 in UTC. */
export type Time = string;

export interface Page<X> {
  items: X[];
  next: string | null;
}

export type Permission =
  | 'watch_live'
  | 'watch_past'
  | 'export'
  | 'see_cameras'
  | 'edit_cameras'
  | 'see_events'
  | 'handle_events'
  | 'see_counts'
  | 'edit_rules'
  | 'see_holds'
  | 'place_holds'
  | 'see_acts'
  | 'see_configuration'
  | 'edit_configuration'
  | 'see_users'
  | 'edit_users'
  | 'see_system'
  | 'operate';

export type Role = 'viewer' | 'operator' | 'analyst' | 'privacy_officer' | 'evidence_officer' | 'custodian' | 'administrator';

/** `scope` is `*`, `site:ID` or `camera:NAME`. */
export interface Grant {
  role: Role;
  scope: string;
}

export type Severity = 'info' | 'warning' | 'alarm';

// Session and account

export interface Session {
  user: { id: string; name: string; display_name: string; totp: boolean };
  grants: Grant[];
  permissions: Record<string, Permission[]>;
  node_permissions: Permission[];
  csrf: string;
  expires: Time;
  site_name: string;
  timezone: string;
  version: string;
  trial_keys: boolean;
  server_time: Time;
}

export type LinkKind = 'setup' | 'invite' | 'password' | 'sign_in';

export interface LinkFacts {
  kind: LinkKind;
  name: string | null;
  expires: Time;
}

export interface TotpSecret {
  secret: string;
  uri: string;
  qr_svg: string;
}

export interface Preferences {
  theme?: 'light' | 'dark' | 'system';
  language?: string;
  layouts?: unknown[];
  [key: string]: unknown;
}

export interface Token {
  id: string;
  name: string;
  created: Time;
  expires: Time;
  last_used: Time | null;
  grants: Grant[];
}

export type NewToken = Token & { token: string };

// Users

export interface User {
  id: string;
  name: string;
  display_name: string;
  grants: Grant[];
  totp: boolean;
  is_disabled: boolean;
  created: Time;
  last_seen: Time | null;
  invited: boolean;
}

export interface RoleFacts {
  role: Role;
  title: string;
  description: string;
  permissions: Permission[];
}

export interface Link {
  link: string;
  expires: Time;
}

// Node

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

// Cameras

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
  transport: 'tcp' | 'udp' | null;
  certificate_sha256: string | null;
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

// Rules; the book's fields are those of the rules file (docs/reference/rules.md)

export type RuleBook = Record<string, unknown>;

export interface Rules {
  rules: RuleBook;
  file: string | null;
  /** What is wrong with the file, where somebody made a mistake in it: then `rules` are those in force. */
  problem: string;
  etag: string | null;
}

export interface RuleMistake {
  at: string;
  problem: string;
}

export interface CalibrationCheck {
  error_px: number | null;
  error_m: number;
  /** As the others foretell each point; null for four points, which always fit. */
  left_out_error_m: number | null;
  points: { residual_px: number | null; residual_m: number }[];
  homography: number[][];
}

export interface RuleTrial {
  state: 'running' | 'done' | 'failed';
  progress: number;
  result: {
    /** `compared`: the same line as it was counted live, where it was there already. */
    lines: { name: string; forward: number; backward: number; observed_s: number; compared: { minutes: number; trial: number; live: number } | null }[];
    zones: { name: string; entries: number; exits: number; most: number; observed_s: number }[];
    events: { type: string; rule: string; at: Time }[];
    from: Time;
    to: Time;
    note: string;
  } | null;
  problem: string;
}

// Live; what the socket of a camera sends as text

export type LiveWord =
  | { type: 'init'; codec: string; width_px: number; height_px: number; mime: string; run: number }
  | { type: 'end'; reason: string }
  | { type: 'state'; state: 'waiting' | 'lost' }
  | { type: 'dropped'; fragments: number };

// Views and playback

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

// Events

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

// Counts

export type PlaceKind = 'line' | 'zone' | 'picture';

export interface Place {
  camera: string;
  kind: PlaceKind;
  place: string;
}

export interface Bucket {
  from: Time;
  to: Time;
  observed_s: number;
  /** Unknown is null, never 0. */
  count: number | null;
  mean: number | null;
  most: number | null;
}

export interface Series {
  camera: string;
  place_kind: PlaceKind;
  place: string;
  measure: string;
  kind: string | null;
  buckets: Bucket[];
}

export type By = 'minute' | 'quarter' | 'hour' | 'day';

export interface Counts {
  by: By;
  timezone: string;
  series: Series[];
}

export interface Heat {
  columns: number;
  rows: number;
  cells: number[];
  observed_s: number;
}

// Holds

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
