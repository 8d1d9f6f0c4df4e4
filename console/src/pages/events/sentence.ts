// What happened, in one plain sentence made of the fields of an event.
import type { Event } from '../../api/types.ts';
import { duration } from '../../app/clock.ts';
import { en } from '../../i18n/en.ts';
import { type Key, language, named, t } from '../../i18n/index.svelte.ts';

type Told = Pick<Event, 'type' | 'kind' | 'count' | 'value' | 'unit' | 'limit' | 'level' | 'ways' | 'place' | 'rule' | 'camera' | 'note'>;

/** Types that we have words for, in the order in which a filter lists them. */
export const TYPES = Object.keys(en.events).flatMap((key) => (key.startsWith('type_') ? [key.slice(5)] : []));

export function typeName(type: string): string {
  return TYPES.includes(type) ? named('events', `type_${type}`) : type.replaceAll('_', ' ');
}

/** "3 people at the line north-gate, forward": with all that is known, and without gaps where something is not. */
export function sentenceOf(event: Told): string {
  const key = keyOf(event);
  if (key) return t(key, fillOf(event));
  const name = typeName(event.type);
  const where = event.place ?? event.camera;
  const said = where ? `${name}: ${where}` : name;
  return said.charAt(0).toUpperCase() + said.slice(1);
}

function keyOf(event: Told): Key | null {
  const stem = `say_${event.type}`;
  const { ways } = event;
  if (event.type === 'line_crossed') {
    const way = ways?.length === 1 ? ways[0] : ways?.length ? 'both' : '';
    return way === 'forward' || way === 'backward' || way === 'both' ? `events.say_line_crossed_${way}` : 'events.say_line_crossed';
  }
  if (event.type === 'queue' && event.unit === 'm') return 'events.say_queue_m';
  // A sentence that tells a value is no sentence without one.
  const isBare = event.value === null && `${stem}_bare` in en.events;
  const name = isBare ? `${stem}_bare` : stem;
  return name in en.events ? (`events.${name}` as Key) : null;
}

function fillOf(event: Told): Record<string, string | number> {
  return {
    what: thingsOf(event.kind, event.count),
    place: event.place ?? event.camera ?? '–',
    camera: event.camera ?? '–',
    value: measured(event.value, event.unit),
    limit: measured(event.limit, event.unit),
    level: event.level ?? 1,
  };
}

/** "3 people", "a vehicle", "something": how many of what. */
export function thingsOf(kind: string | null, count: number | null): string {
  const word = kind === 'person' || kind === 'bicycle' || kind === 'vehicle' || kind === 'object' ? kind : 'any';
  return count === null || count <= 1 ? t(`events.one_${word}`) : t(`events.many_${word}`, { n: count });
}

/** A value in its unit, as people say it. */
export function measured(value: number | null, unit: string | null): string {
  if (value === null) return '–';
  if (unit === 's') return duration(value);
  const number = new Intl.NumberFormat(language(), { maximumFractionDigits: unit === 'per_m2' || unit === 'm' ? 1 : 2 }).format(value);
  if (unit === 'm') return `${number} m`;
  return unit === 'per_m2' ? `${number}/m²` : unit ? `${number} ${unit.replaceAll('_', ' ')}` : number;
}
