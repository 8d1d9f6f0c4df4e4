// Which settings the console offers, and how each is filled in; the server checks them all again.
import type { Key } from '../../i18n/index.svelte.ts';

export interface SettingField {
  /** `table.key`, or the word alone for what stands at the top of the file. */
  at: string;
  label: Key;
  hint?: Key;
  kind: 'text' | 'number' | 'preset';
  min?: number;
  max?: number;
}

export interface SettingGroup {
  title: Key;
  text?: Key;
  fields: SettingField[];
}

const number = (at: string, min: number, max?: number, hint?: Key): SettingField => ({
  at,
  label: `settings.${at}` as Key,
  kind: 'number',
  min,
  max,
  hint,
});

export const PRESETS = ['motion', 'faces', 'heads', 'persons', 'all'] as const;

export const GROUPS: SettingGroup[] = [
  {
    title: 'settings.site_group',
    fields: [
      { at: 'site', label: 'settings.site', hint: 'settings.site_hint', kind: 'text' },
      { at: 'timezone', label: 'settings.timezone', hint: 'settings.timezone_hint', kind: 'text' },
    ],
  },
  {
    title: 'settings.masking_group',
    text: 'settings.masking_group_text',
    fields: [
      { at: 'masking.preset', label: 'settings.masking.preset', kind: 'preset' },
      { at: 'masking.face_model', label: 'settings.masking.face_model', kind: 'text' },
      number('masking.look_back_s', 0.1, 5, 'settings.masking.look_back_s_hint'),
      number('masking.detect_interval_s', 0.02, 2),
      number('masking.refresh_s', 0.5, 600),
      number('masking.threads', 1, 64),
    ],
  },
  {
    title: 'settings.retention_group',
    text: 'settings.retention_group_text',
    fields: [
      number('retention.sealed_days', 0.0001, 3650),
      number('retention.masked_days', 0.0001, 3650),
      number('retention.max_gb', 0, undefined, 'settings.retention.max_gb_hint'),
      number('retention.keep_free_gb', 0),
      number('retention.counts_days', 1, 36_500),
      number('retention.rollup_days', 1, 36_500),
      number('retention.events_days', 1, 36_500),
    ],
  },
  {
    title: 'settings.analysis_group',
    text: 'settings.analysis_group_text',
    fields: [
      { at: 'analysis.model', label: 'settings.analysis.model', hint: 'settings.analysis.model_hint', kind: 'text' },
      number('analysis.interval_s', 0.02, 2),
    ],
  },
  {
    title: 'settings.recording_group',
    text: 'settings.recording_group_text',
    fields: [
      number('recording.segment_s', 5, 3600),
      number('recording.sync_interval_s', 0.5, 60),
      number('recording.timeout_s', 1, 10),
      number('recording.reconnect_cap_s', 1, 300),
    ],
  },
];

export type Values = Record<string, string | number | null>;

/** The values of all fields, out of the tables of the configuration. */
export function valuesOf(tables: Record<string, unknown>): Values {
  const values: Values = {};
  for (const { at } of GROUPS.flatMap((group) => group.fields)) {
    const [first, key] = at.split('.') as [string, string | undefined];
    const table = tables[first];
    const found = key === undefined ? table : (table as Record<string, unknown> | undefined)?.[key];
    values[at] = typeof found === 'number' || typeof found === 'string' ? found : null;
  }
  return values;
}

/** What somebody typed, put on what the server has by now: all that they left alone follows it. */
export function rebased(before: Values, now: Values, fresh: Values): Values {
  const own = Object.entries(now).filter(([at, value]) => at in before && value !== before[at]);
  return { ...fresh, ...Object.fromEntries(own) };
}

/** Where somebody else has set another value since, to what was changed here too. */
export function clashes(before: Values, now: Values, fresh: Values): string[] {
  return Object.keys(now).filter((at) => at in before && now[at] !== before[at] && fresh[at] !== before[at] && fresh[at] !== now[at]);
}

/** The body of a change: only what differs, so that nothing is written that nobody meant to set. */
export function changeOf(before: Values, now: Values): Record<string, unknown> {
  const change: Record<string, unknown> = {};
  for (const [at, value] of Object.entries(now)) {
    if (value === before[at]) continue;
    const [first, key] = at.split('.') as [string, string | undefined];
    if (key === undefined) change[first] = value;
    else change[first] = { ...(change[first] as object | undefined), [key]: value };
  }
  return change;
}
