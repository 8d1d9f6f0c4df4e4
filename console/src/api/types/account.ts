// Who is signed in, their tokens and preferences, and who else may.
import type { Grant, Permission, Role, Time } from './common.ts';

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
  /** What must come with the code: nothing in the first session of somebody new. */
  needs_password: boolean;
  needs_old_code: boolean;
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
