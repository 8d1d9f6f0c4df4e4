// Where to go after signing in: where one wanted to go, if that is a page of this console, or else home.
import { match, type Router } from './router.svelte.ts';

/** The address of a page of this console; `/` for anything else, so that a link to sign-in leads nowhere else. */
export function wantedPage(to: string): string {
  if (!/^\/(?![/\\])/.test(to)) return '/';
  const name = match(to.split(/[?#]/)[0] ?? '').name;
  return name === 'lost' || name === 'sign-in' || name === 'setup' ? '/' : to;
}

export function inwards(router: Router): void {
  router.go(wantedPage(router.get('to')), { replace: true });
}
