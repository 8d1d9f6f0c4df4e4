// Which colour a word of the API has, the same on every page.
import type { CameraState, MaskingState, Severity } from '../api/types.ts';

export type Tone = 'plain' | 'ok' | 'warn' | 'bad' | 'note' | 'accent';

export const OF_SEVERITY: Record<Severity, Tone> = { info: 'note', warning: 'warn', alarm: 'bad' };

export const OF_CAMERA: Record<CameraState, Tone> = {
  recording: 'ok',
  connecting: 'warn',
  starting: 'warn',
  lost: 'bad',
  refused: 'bad',
  unsupported: 'bad',
  held: 'bad',
  not_scheduled: 'plain',
  off: 'plain',
};

export const OF_MASKING: Record<MaskingState, Tone> = { masked: 'ok', covered: 'accent', behind: 'warn', off: 'plain' };
