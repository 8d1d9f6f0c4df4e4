// Starts the console: language and theme, who is signed in, and then the frame.
import './kit/tokens.css';
import './kit/controls.css';

import { mount } from 'svelte';

import Shell from './app/Shell.svelte';

mount(Shell, { target: document.getElementById('app')! });
