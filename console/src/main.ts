// Starts the console: the language, and then who is signed in.
import './kit/tokens.css';
import './kit/controls.css';
import './kit/facts.css';

import { mount } from 'svelte';

import App from './app/App.svelte';
import { appearance } from './app/appearance.svelte.ts';
import { watchPresence } from './app/presence.ts';

async function start(): Promise<void> {
  watchPresence();
  await appearance.start();
  mount(App, { target: document.getElementById('app')! });
}

void start();
