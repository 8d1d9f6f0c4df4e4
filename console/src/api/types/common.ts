// What the documents of every area are made of.

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
  | 'audit_cameras'
  | 'steer_cameras'
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

export type Role = 'viewer' | 'operator' | 'ptz_operator' | 'analyst' | 'privacy_officer' | 'evidence_officer' | 'custodian' | 'administrator';

/** `scope` is `*`, `site:ID` or `camera:NAME`. */
export interface Grant {
  role: Role;
  scope: string;
}

export type Severity = 'info' | 'warning' | 'alarm';
