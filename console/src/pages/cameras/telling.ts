// How a camera is, in sentences.
import type { Camera } from '../../api/types.ts';
import { duration } from '../../app/clock.ts';
import { type Key, language, named, t } from '../../i18n/index.svelte.ts';

export function stateSentence(camera: Camera): string {
  return t(`cameras.say_${camera.state}`);
}

export function maskingSentence({ masking }: Camera): string {
  if (masking.state === 'covered') {
    return masking.covered_cause ? t('cameras.say_covered', { cause: wordOf('cover', masking.covered_cause) }) : t('cameras.say_covered_bare');
  }
  if (masking.state === 'behind') return t('cameras.say_behind', { time: duration(masking.behind_s) });
  return t(masking.state === 'off' ? 'cameras.say_masking_off' : 'cameras.say_masked');
}

/** The word for a badge: "off" alone would not say what is off. */
export function maskingWord({ masking }: Camera): string {
  return masking.state === 'off' ? t('cameras.not_masked') : named('word', masking.state);
}

/** What masking gives up just now; empty where nothing. */
export function stepSentence({ masking }: Camera): string {
  return masking.step ? t('cameras.say_step', { step: wordOf('step', masking.step) }) : '';
}

/** A word of the API in ours: causes of gaps and covers, steps, presets. */
export function wordOf(sort: 'cause' | 'cover' | 'step' | 'preset', word: string): string {
  const key = `${sort}_${word}`;
  const found = named('cameras', key);
  return found === key.replaceAll('_', ' ') ? word.replaceAll('_', ' ') : found;
}

export function pictureLine({ picture }: Camera): string {
  if (!picture) return '';
  const line = t('cameras.stream_line' satisfies Key, { width: String(picture.width_px), height: String(picture.height_px), codec: codecName(picture.codec) });
  return picture.fps ? `${line}, ${t('cameras.fps', { fps: round(picture.fps) })}` : line;
}

export function codecName(codec: string): string {
  return { h264: 'H.264', hevc: 'H.265', h265: 'H.265', av1: 'AV1', mjpeg: 'MJPEG' }[codec] ?? codec;
}

export function round(value: number): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: 1 }).format(value);
}

export interface Search {
  text: string;
  site: string;
  /** A state of the API, `well`, `wrong`, or empty. */
  state: string;
}

/** Whether nothing is wrong: what is not to be recorded now is all right too. */
export function isWell(camera: Camera): boolean {
  const isAsWanted = camera.state === 'recording' || camera.state === 'not_scheduled';
  return isAsWanted && camera.alarms.length === 0 && camera.masking.state !== 'behind' && !camera.masking.step;
}

export function fits(camera: Camera, search: Search): boolean {
  if (search.site && camera.site_id !== search.site) return false;
  if (search.state === 'well' && !isWell(camera)) return false;
  if (search.state === 'wrong' && isWell(camera)) return false;
  if (search.state && search.state !== 'well' && search.state !== 'wrong' && camera.state !== search.state) return false;
  const text = `${camera.name} ${camera.site} ${camera.picture?.codec ?? ''} ${camera.detail}`.toLowerCase();
  return search.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
