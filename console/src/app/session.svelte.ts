// Who is signed in, and what they may do: pages ask here before they show a button that the server would refuse.
import { api, Problem } from '../api/client.ts';
import type { Permission, Preferences, Session } from '../api/types.ts';
import { language } from '../i18n/index.svelte.ts';
import { SiteClock } from './clock.ts';

const PREFERENCES = '/account/preferences';
const MOST_TRIES = 4;

class SignedIn {
  me = $state.raw<Session | null>(null);
  preferences = $state.raw<Preferences>({});
  /** Whether they have come; the walls of somebody whose preferences have not are not known. */
  hasPreferences = $state(false);
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
      if (!this.hasPreferences) await this.loadPreferences();
    } catch (error) {
      // A server that is away is told by the banner; who is signed out, by the next thing that they do.
      if (!(error instanceof Problem)) throw error;
    }
  }

  leave(): void {
    this.me = null;
    api.csrf = '';
    // Whoever comes next has their own.
    this.preferences = {};
    this.hasPreferences = false;
  }

  /** Signed out is only who the server has let go: where it did not, this throws, and all stays as it is. */
  async signOut(): Promise<void> {
    try {
      await api.delete('/session');
    } catch (error) {
      // Over already is as good.
      if (!(error instanceof Problem && error.status === 401)) throw error;
    }
    this.leave();
  }

  async loadPreferences(): Promise<Preferences> {
    const who = this.me?.user.id;
    return this.keep(await api.get<Preferences>(PREFERENCES), who);
  }

  /**
   * Change some preferences; the server keeps the others. They follow the person to every browser. What is made of what was
   * there, such as one wall more, is a function: it gets what the server has now, and again where another page was faster.
   */
  async prefer(change: Partial<Preferences> | ((now: Preferences) => Partial<Preferences>)): Promise<void> {
    const who = this.me?.user.id;
    if (typeof change !== 'function') {
      this.preferences = { ...this.preferences, ...change };
      this.keep(await api.patch<Preferences>(PREFERENCES, change), who);
      return;
    }
    for (let tries = 1; ; tries++) {
      const { value, etag } = await api.getTagged<Preferences>(PREFERENCES);
      try {
        this.keep(await api.patch<Preferences>(PREFERENCES, change(value), { ifMatch: etag }), who);
        return;
      } catch (error) {
        if (!(error instanceof Problem && error.status === 412) || tries >= MOST_TRIES) throw error;
      }
    }
  }

  private keep(preferences: Preferences, who: string | undefined): Preferences {
    // Somebody else may have signed in while they were on their way.
    if (!this.me || this.me.user.id !== who) return preferences;
    this.preferences = preferences;
    this.hasPreferences = true;
    return preferences;
  }
}

/** All of a session but what is another each time. */
function told({ server_time: _, expires: __, ...rest }: Session): string {
  return JSON.stringify(rest);
}

export const session = new SignedIn();
