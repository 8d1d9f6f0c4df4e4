// The one router of the page, on the browser's own history, and the secret of a one-time link that the page was opened with.
import { Router } from './router.svelte.ts';

export const router = new Router(window);

// Out of the address before anything else happens: it must not stay in the history, nor be seen over a shoulder.
let token = router.takeFragment('token');

/** The secret of the link, once; empty where there was none, and from then on. */
export function takeToken(): string {
  const taken = token;
  token = '';
  return taken;
}

// Another link, typed into the page that is open: it is a new visit.
window.addEventListener('hashchange', () => {
  if (location.hash.startsWith('#token=')) location.reload();
});
