// The colours of a heat map, and what it says in words to whoever cannot see it.
import type { Heat } from '../../api/types.ts';

/** For how much of the seen time something was in each cell, from 0 to 1. */
export function shares(heat: Heat): number[] {
  return heat.observed_s > 0 ? heat.cells.map((seconds) => Math.min(1, seconds / heat.observed_s)) : [];
}

export interface Peak {
  share: number;
  /** One of nine parts of the picture. */
  where: string;
}

export function peakOf(heat: Heat): Peak | null {
  const all = shares(heat);
  const share = Math.max(0, ...all);
  if (!share) return null;
  const at = all.indexOf(share);
  const third = (index: number, count: number): number => Math.min(2, Math.floor(((index + 0.5) / count) * 3));
  const column = third(at % heat.columns, heat.columns);
  const row = third(Math.floor(at / heat.columns), heat.rows);
  const words = [
    ['top_left', 'top', 'top_right'],
    ['left', 'middle', 'right'],
    ['bottom_left', 'bottom', 'bottom_right'],
  ];
  return { share, where: words[row]![column]! };
}

// From nothing over the lamp's amber to a deep red: rises in darkness too, so that it reads without colours.
const STEPS: readonly (readonly [number, number, number, number])[] = [
  [255, 214, 120, 0],
  [252, 196, 84, 120],
  [240, 146, 38, 185],
  [205, 78, 28, 220],
  [122, 22, 44, 240],
];

/** Red, green, blue and opacity of a strength from 0 to 1. */
export function colourOf(strength: number): [number, number, number, number] {
  const at = Math.min(1, Math.max(0, strength)) * (STEPS.length - 1);
  const low = Math.min(STEPS.length - 2, Math.floor(at));
  const part = at - low;
  return STEPS[low]!.map((value, channel) => Math.round(value + (STEPS[low + 1]![channel]! - value) * part)) as [number, number, number, number];
}

/** Differences are largest where little happens: the root shows them beside what is busy. */
export function strengthOf(share: number, most: number): number {
  return most > 0 ? Math.sqrt(share / most) : 0;
}
