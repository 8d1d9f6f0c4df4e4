// What is asked of the API: each place with its camera, or the same name at another camera would come along.
import type { By } from '../../api/types.ts';
import { rfc3339 } from '../../app/clock.ts';
import type { Period } from './periods.ts';
import type { Family } from './shaping.ts';

interface Spot {
  camera: string;
  place: string;
}

export const idOf = ({ camera, place }: Spot): string => `${camera}/${place}`;

export function askedOf(places: readonly Spot[], family: Family, by: By, { from, to }: Period): Record<string, string | string[]> {
  return { at: places.map(idOf), measure: [...family.of], by, from: rfc3339(from), to: rfc3339(to) };
}
