// Days in words that people use, and the lines that Lamppost never crosses.
import type { Key } from '../../i18n/index.svelte.ts';

export const LINES: Key[] = [
  'privacy.line_faces',
  'privacy.line_plates',
  'privacy.line_follow',
  'privacy.line_search',
  'privacy.line_traits',
  'privacy.line_sound',
];

/** How long, in the unit that needs no fraction: less than two days in hours, less than two hours in minutes. */
export function keptFor(days: number | null | undefined): { n: number; unit: 'days' | 'hours' | 'minutes' } | null {
  if (days === null || days === undefined) return null;
  const round = (value: number): number => Math.round(value * 10) / 10;
  if (days >= 2 || Number.isInteger(days)) return { n: round(days), unit: 'days' };
  const hours = days * 24;
  if (hours >= 2) return { n: round(hours), unit: 'hours' };
  return { n: round(hours * 60), unit: 'minutes' };
}
