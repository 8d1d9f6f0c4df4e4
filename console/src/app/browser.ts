// The one router of the page, on the browser's own history.
import { Router } from './router.svelte.ts';

export const router = new Router(window);
