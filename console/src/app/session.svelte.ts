// Who is signed in, and what they may do: pages ask here before they show a button that the server would refuse.
import { api, Problem } from '../api/client.ts';
import type { Permission, Preferences, Session } from '../api/types.ts';
import { language } from '../i18n/index.svelte.ts';
import { SiteClock } from './clock.ts';

class SignedIn {
  me = $state.raw<Session | null>(null);
  preferences = $state.raw<Preferences>({});
  /** The clock of the site, in the language of the page. */
  clock: SiteClock = $derived.by(() => {
    const clock = new SiteClock(this.me?.timezone || 'UTC', language());
    if (this.me) clock.learn(clock.nowMs() + this.behindMs);
    return clock;
  });
  private behindMs = 0;

  /** Whether it is permitted on that camera; without one, for the whole node. */
  may(permission: Permission, camera?: string): boolean {
    if (!this.me) return false;
    if (camera !== undefined) return this.me.permissions[camera]?.includes(permission) ?? false;
    return this.me.node_permissions.includes(permission);
  }

  /** Whether it is permitted on any camera or for the node: whether a page has anything to show. */
  mayAnywhere(permission: Permission): boolean {
    if (!this.me) return false;
    return this.may(permission) || Object.values(this.me.permissions).some((held) => held.includes(permission));
  }

  /** The cameras on which it is permitted. */
  cameras(permission: Permission): string[] {
    return Object.entries(this.me?.permissions ?? {}).flatMap(([camera, held]) => (held.includes(permission) ? [camera] : []));
  }

  /** Take over what the server said of us. */
  enter(me: Session): Session {
    api.csrf = me.csrf;
    this.behindMs = Date.parse(me.server_time) - Date.now();
    this.me = me;
    return me;
  }

  /** Ask who we are; null when nobody is signed in. */
  async load(): Promise<Session | null> {
    try {
      this.enter(await api.get<Session>('/session'));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        this.leave();
        return null;
      }
      throw error;
    }
    return this.me;
  }

  /** Ask anew what we may: cameras come and go, and so do grants. Nothing on a page moves where it is all the same. */
  async renew(): Promise<void> {
    try {
      const me = await api.get<Session>('/session');
      if (this.me && told(me) !== told(this.me)) this.enter(me);
    } catch (error) {
      // A server that is away is told by the banner; who is signed out, by the next thing that they do.
      if (!(error instanceof Problem)) throw error;
    }
  }

  leave(): void {
    this.me = null;
    api.csrf = '';
  }

  async signOut(): Promise<void> {
    await api.delete('/session');
    this.leave();
  }

  async loadPreferences(): Promise<Preferences> {
    this.preferences = await api.get<Preferences>('/account/preferences');
    return this.preferences;
  }

  /** Change some preferences and keep the others; they follow the person to every browser. */
  async prefer(change: Partial<Preferences>): Promise<void> {
    this.preferences = { ...this.preferences, ...change };
    await api.put('/account/preferences', this.preferences);
  }
}

/** All of a session but what is another each time. */
function told({ server_time: _, expires: __, ...rest }: Session): string {
  return JSON.stringify(rest);
}

export const session = new SignedIn();
