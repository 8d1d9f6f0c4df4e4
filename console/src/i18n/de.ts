// German. A key that English has and this has not fails the type check.
import { acts } from './de/acts.ts';
import { audits } from './de/audits.ts';
import { cameras } from './de/cameras.ts';
import { counts } from './de/counts.ts';
import { devices } from './de/devices.ts';
import { events } from './de/events.ts';
import { kit } from './de/kit.ts';
import { privacy } from './de/privacy.ts';
import { role } from './de/role.ts';
import { rules } from './de/rules.ts';
import { settings } from './de/settings.ts';
import { shell } from './de/shell.ts';
import { signIn } from './de/signIn.ts';
import { timeline } from './de/timeline.ts';
import { wall } from './de/wall.ts';
import { word } from './de/word.ts';
import type { Words } from './en.ts';

export const de: Words = { shell, kit, word, role, signIn, wall, timeline, events, counts, rules, cameras, devices, audits, privacy, acts, settings };
