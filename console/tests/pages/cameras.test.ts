// The account of a camera's day, what of a form is sent, and which cameras a search finds.
import { describe, expect, it } from 'vitest';

import type { Camera, CameraDetail, GapAccount } from '../../src/api/types.ts';
import { isUnexplained, partsOf, placed, watchable } from '../../src/pages/cameras/account.ts';
import { BLANK, changeOf, filledOf, newCamera, testOf } from '../../src/pages/cameras/form.ts';
import { fits, isWell, stateSentence, wordOf } from '../../src/pages/cameras/telling.ts';

const ACCOUNT: GapAccount = {
  from: '', until: '', asked_s: 1000, recorded_s: 900, gap_s_by_cause: { stopped: 20, camera_unreachable: 80, held: 0 }, unexplained_s: 0, masked_s: 850, covered_s: 50, forgotten_s: 0,
};
const CAMERA: Camera = {
  name: 'plaza', site: 'Old Town', site_id: 'old-town', state: 'recording', detail: '', since: null,
  masking: { state: 'masked', behind_s: 0.4, step: null, covered_cause: null }, picture: { width_px: 1920, height_px: 1080, fps: 25, codec: 'h264' },
  preset: 'motion', has_rules: false, has_sub: false, live: true, last_picture: null, alarms: [], can: [],
};
const DETAIL: CameraDetail = {
  ...CAMERA, url: 'rtsp://192.0.2.1/a', sub_url: null, username: 'lp', has_password: true, allow_basic: false, transport: 'tcp', certificate_sha256: null, device_url: null, device_certificate_sha256: null,
  own_preset: null, own_site: '', schedule: ['mon-fri 07:00-19:00'], retention: { sealed_days: null, masked_days: 7, max_gb: null }, rules_file: null, etag: '"a"',
};

describe('the account', () => {
  it('shares out every second, the longest gap first, and always says what is unexplained', () => {
    const parts = partsOf(ACCOUNT);
    expect(parts.map((part) => part.id)).toEqual(['recorded', 'camera_unreachable', 'stopped', 'unexplained']);
    expect(parts.reduce((sum, part) => sum + part.share, 0)).toBeCloseTo(1);
    expect(parts.at(-1)).toMatchObject({ seconds: 0, share: 0 });
    expect(isUnexplained(ACCOUNT)).toBe(false);
    expect(isUnexplained({ ...ACCOUNT, unexplained_s: 3 })).toBe(true);
  });

  it('parts what is recorded into what can be watched and what cannot', () => {
    expect(watchable(ACCOUNT).map((part) => part.seconds)).toEqual([800, 50, 50]);
  });

  it('says nothing of a day of which nothing is known', () => {
    const nothing = { ...ACCOUNT, recorded_s: 0, gap_s_by_cause: {}, masked_s: 0, covered_s: 0 };
    for (const part of [...partsOf(nothing), ...watchable(nothing)]) expect(part.share).toBe(0);
  });
});

it('places spans on a strip, cut off at its ends', () => {
  expect(placed({ from: 25, to: 50 }, 0, 100, 80)).toEqual({ left: 0.25, width: 0.25 });
  expect(placed({ from: -50, to: 50 }, 0, 100, 80)).toEqual({ left: 0, width: 0.5 });
  expect(placed({ from: 60, to: null }, 0, 100, 80)).toEqual({ left: 0.6, width: expect.closeTo(0.2) });
  expect(placed({ from: 100, to: 120 }, 0, 100, 80)).toBeNull();
  expect(placed({ from: -20, to: -10 }, 0, 100, 80)).toBeNull();
});

describe('the form', () => {
  it('sends nothing that was not changed', () => {
    const before = filledOf(DETAIL);
    expect(changeOf(before, { ...before })).toEqual({});
    expect(changeOf(before, { ...before, preset: 'faces', schedule: '' })).toEqual({ preset: 'faces', schedule: [] });
  });

  it('takes out what was emptied, so that its default holds', () => {
    const before = filledOf(DETAIL);
    expect(changeOf(before, { ...before, masked_days: null, username: '' })).toEqual({ masked_days: null, username: null });
  });

  it('keeps the password unless another is given, or it is to be forgotten', () => {
    const before = filledOf(DETAIL);
    expect(changeOf(before, { ...before, password: 'new' })).toEqual({ password: 'new' });
    expect(changeOf(before, { ...before, password: 'new', forgetsPassword: true })).toEqual({ password: null });
  });

  it('adds a camera with what was filled in, and no more', () => {
    expect(newCamera({ ...BLANK, name: 'gate', url: ' rtsp://192.0.2.1/a ' })).toEqual({ name: 'gate', url: 'rtsp://192.0.2.1/a' });
  });

  it('tries a known camera with the password that it has', () => {
    expect(testOf(filledOf(DETAIL), 'plaza')).toEqual({ url: 'rtsp://192.0.2.1/a', username: 'lp', transport: 'tcp', allow_basic: false, camera: 'plaza' });
    expect(testOf({ ...filledOf(DETAIL), forgetsPassword: true }, 'plaza')).not.toHaveProperty('camera');
  });
});

describe('a search', () => {
  const find = (text = '', state = '', site = ''): boolean => fits(CAMERA, { text, state, site });

  it('finds by every word, the state and the site', () => {
    expect(find('old PLA')).toBe(true);
    expect(find('old gate')).toBe(false);
    expect(find('', 'well')).toBe(true);
    expect(find('', 'wrong')).toBe(false);
    expect(find('', 'lost')).toBe(false);
    expect(find('', '', 'harbour')).toBe(false);
  });

  it('calls well what is as it was wanted', () => {
    expect(isWell({ ...CAMERA, state: 'not_scheduled' })).toBe(true);
    expect(isWell({ ...CAMERA, state: 'lost' })).toBe(false);
    expect(isWell({ ...CAMERA, masking: { ...CAMERA.masking, step: 'fewer_frames' } })).toBe(false);
  });
});

it('has words for states and causes, and shows others as they are', () => {
  for (const state of ['recording', 'connecting', 'lost', 'refused', 'unsupported', 'not_scheduled', 'held', 'starting', 'off'] as const) {
    expect(stateSentence({ ...CAMERA, state })).not.toContain('cameras.');
  }
  expect(wordOf('cause', 'camera_unreachable')).toBe('camera not reached');
  expect(wordOf('cause', 'solar_flare')).toBe('solar flare');
});
