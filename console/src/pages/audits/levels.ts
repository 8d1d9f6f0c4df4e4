// Answers that may be missing, in colours and in an order: what is known to be able comes first, then what nobody knows.
import type { Ability, AuditSummary, Finding, Identity, Level } from '../../api/types.ts';
import type { Key } from '../../i18n/index.svelte.ts';
import type { Tone } from '../../kit/tones.ts';

export const TONE: Record<Level, Tone> = { yes: 'bad', unknown: 'warn', no: 'ok' };

export const SET: Record<Level, { label: Key; about: Key }> = {
  yes: { label: 'audits.armed', about: 'audits.armed_about' },
  no: { label: 'audits.disarmed', about: 'audits.disarmed_about' },
  unknown: { label: 'audits.set_unknown', about: 'audits.set_unknown_about' },
};

const RANK: Record<Level, number> = { yes: 0, unknown: 1, no: 2 };

/** The most urgent first: armed, then able, then unknown; by name where they are alike. */
export function inOrder(audits: readonly AuditSummary[]): AuditSummary[] {
  const rank = (of: AuditSummary): number => RANK[of.is_armed] * 27 + RANK[of.recognise] * 9 + RANK[of.capture] * 3 + RANK[of.detect];
  return [...audits].sort((one, other) => rank(one) - rank(other) || one.camera.localeCompare(other.camera));
}

/** What one answer says of several abilities, told once. */
export interface Told {
  abilities: Ability[];
  level: Level;
  because: string;
  evidence: number;
}

/** Findings in their order, those together that stand in the same answer for the same reason. */
export function together(findings: readonly Finding[]): Told[] {
  const told = new Map<string, Told>();
  for (const { ability, level, because, evidence } of findings) {
    const key = JSON.stringify([evidence, level, because]);
    const known = told.get(key);
    if (!known) told.set(key, { abilities: [ability], level, because, evidence });
    else if (!known.abilities.includes(ability)) known.abilities.push(ability);
  }
  return [...told.values()];
}

export interface Summary {
  able: number;
  unsure: number;
  armed: number;
}

export function summed(audits: readonly AuditSummary[]): Summary {
  return {
    able: audits.filter((each) => each.recognise === 'yes').length,
    unsure: audits.filter((each) => each.recognise === 'unknown').length,
    armed: audits.filter((each) => each.is_armed === 'yes').length,
  };
}

/** Vendor and model on one line; empty where the device said neither. */
export function deviceName(identity: Identity | null): string {
  return identity ? [identity.vendor, identity.model].filter(Boolean).join(' ') : '';
}
