// What a tile says of itself, from what the server tells of the camera and what the player has seen.
import type { Camera } from '../../api/types.ts';
import type { IconName } from '../../kit/icons.ts';
import type { LiveState } from '../../media/live.ts';
import type { Refusal } from '../../media/refusal.ts';

export type Standing =
  | 'live'
  | 'paused'
  | 'covered'
  | 'behind'
  | 'connecting'
  | 'reconnecting'
  | 'lost'
  | 'unavailable'
  | 'unplayable'
  | 'removed'
  | Refusal;

/** Whether the words stand in the middle, because there is no picture that is of now. */
export const IS_BLANK: Record<Standing, boolean> = {
  live: false,
  paused: false,
  covered: false,
  behind: false,
  connecting: true,
  reconnecting: true,
  lost: true,
  unavailable: true,
  unplayable: true,
  removed: true,
  signed_out: true,
  forbidden: true,
  full: true,
  unrecorded: true,
  blocked: true,
};

/** What to do about it stands under these, as `hint_…` of the wall's words. */
const REFUSALS: Readonly<Record<Refusal, IconName>> = {
  signed_out: 'lock',
  forbidden: 'lock',
  full: 'users',
  unrecorded: 'acts',
  blocked: 'warning',
};

export function isRefusal(word: string): word is Refusal {
  return word in REFUSALS;
}

export function iconOf(now: Standing): IconName {
  if (isRefusal(now)) return REFUSALS[now];
  return now === 'lost' ? 'warning' : 'eye_off';
}

// The masked picture is older than this only where masking cannot keep up.
const BEHIND_S = 3;

/** `camera` is null where the server knows none of that name (any more), undefined while nobody has asked yet. */
export function standing(camera: Camera | null | undefined, live: LiveState, ageS: number | null): Standing {
  if (camera === null) return 'removed';
  if (isRefusal(live) || live === 'unplayable') return live;
  if (live !== 'live' && camera) {
    if (camera.state === 'lost' || camera.state === 'refused' || camera.state === 'unsupported') return 'lost';
    if (camera.state === 'not_scheduled' || camera.state === 'held' || camera.state === 'off') return 'unavailable';
  }
  if (live === 'lost' || live === 'paused') return live;
  if (live !== 'live') return live;
  if (camera?.masking.state === 'covered') return 'covered';
  if (camera?.masking.state === 'behind' || (ageS !== null && ageS > BEHIND_S)) return 'behind';
  return 'live';
}
