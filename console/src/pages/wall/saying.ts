// The words for how a live picture stands, and why.
import type { Camera } from '../../api/types.ts';
import { session } from '../../app/session.svelte.ts';
import { named, t } from '../../i18n/index.svelte.ts';
import { isRefusal, type Standing } from './standing.ts';

export function wordsOf(now: Standing, camera: Camera | null | undefined): string {
  if (now === 'lost' && camera?.since) return t('wall.lost_since', { time: session.clock.format(camera.since, 'time_s') });
  return named('wall', `standing_${now}`);
}

/** Empty where there is nothing to say beyond the words. */
export function causeOf(now: Standing, camera: Camera | null | undefined): string {
  if (now === 'covered') return named('wall', `covered_${camera?.masking.covered_cause}`);
  if (now === 'unavailable') return named('word', camera?.state);
  if (isRefusal(now)) return t(`wall.hint_${now}`);
  return now === 'lost' ? (camera?.detail ?? '') : '';
}
