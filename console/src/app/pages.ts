// Which page belongs to a route, who may open it, and by which key; each page is fetched when it is first opened.
import type { Component } from 'svelte';

import type { Permission } from '../api/types.ts';
import type { IconName } from '../kit/icons.ts';
import type { RouteName } from './router.svelte.ts';

/** Every page is given the parameters of its route (`params: Params`), and may leave them; hence the `any`. */
export type PageComponent = Component<any>;

export interface PageEntry {
  route: RouteName;
  icon: IconName;
  /** After `g`. */
  key: string;
  /** Any of these, on any camera or for the node; everybody who has signed in where there is none. */
  needs: Permission[];
  load: () => Promise<{ default: PageComponent }>;
  /** Whether it fills the whole window, without margins and without scrolling. */
  isWide?: boolean;
}

export const PAGES: PageEntry[] = [
  { route: 'wall', icon: 'wall', key: 'w', needs: ['watch_live'], load: () => import('../pages/wall/Page.svelte'), isWide: true },
  { route: 'timeline', icon: 'timeline', key: 't', needs: ['watch_past'], load: () => import('../pages/timeline/Page.svelte'), isWide: true },
  { route: 'events', icon: 'events', key: 'e', needs: ['see_events'], load: () => import('../pages/events/Page.svelte') },
  { route: 'counts', icon: 'counts', key: 'c', needs: ['see_counts'], load: () => import('../pages/counts/Page.svelte') },
  { route: 'rules', icon: 'rules', key: 'r', needs: ['edit_rules'], load: () => import('../pages/rules/Page.svelte') },
  { route: 'cameras', icon: 'cameras', key: 'k', needs: ['see_cameras'], load: () => import('../pages/cameras/Page.svelte') },
  { route: 'devices', icon: 'server', key: 'd', needs: ['see_cameras'], load: () => import('../pages/devices/Page.svelte') },
  { route: 'audits', icon: 'audit', key: 'u', needs: ['audit_cameras'], load: () => import('../pages/audits/Page.svelte') },
  { route: 'privacy', icon: 'privacy', key: 'p', needs: [], load: () => import('../pages/privacy/Page.svelte') },
  { route: 'acts', icon: 'acts', key: 'a', needs: ['see_acts'], load: () => import('../pages/acts/Page.svelte') },
  { route: 'settings', icon: 'settings', key: 's', needs: [], load: () => import('../pages/settings/Page.svelte') },
];

/** Pages for whoever has not signed in. */
export const OPEN_PAGES: Partial<Record<RouteName, () => Promise<{ default: PageComponent }>>> = {
  'sign-in': () => import('../pages/sign-in/Page.svelte'),
  setup: () => import('../pages/setup/Page.svelte'),
};
