// English, the language that all others must say as much as. One file a page, so that pages are written side by side.
import { acts } from './en/acts.ts';
import { audits } from './en/audits.ts';
import { cameras } from './en/cameras.ts';
import { counts } from './en/counts.ts';
import { devices } from './en/devices.ts';
import { events } from './en/events.ts';
import { kit } from './en/kit.ts';
import { privacy } from './en/privacy.ts';
import { role } from './en/role.ts';
import { rules } from './en/rules.ts';
import { settings } from './en/settings.ts';
import { shell } from './en/shell.ts';
import { signIn } from './en/signIn.ts';
import { timeline } from './en/timeline.ts';
import { wall } from './en/wall.ts';
import { word } from './en/word.ts';

export const en = { shell, kit, word, role, signIn, wall, timeline, events, counts, rules, cameras, devices, audits, privacy, acts, settings };

type Said<S> = { [K in keyof S]: S[K] extends string ? string : { one: string; other: string } };

/** What a language must say: every key of English, and nothing else. */
export type Words = { [S in keyof typeof en]: Said<(typeof en)[S]> };
