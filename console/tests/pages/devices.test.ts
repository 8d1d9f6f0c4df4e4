// What was found becomes a camera; levels are ordered by what a city must know first; a joystick stops what it began.
import { describe, expect, it, vi } from 'vitest';

import type { Ability, AuditSummary, Device, Finding, FoundDevice, Level, LookedAt, StreamProfile } from '../../src/api/types.ts';
import { inOrder, summed, together } from '../../src/pages/audits/levels.ts';
import { factsOf, warningText } from '../../src/pages/cameras/device.ts';
import { toggled } from '../../src/pages/cameras/steering.ts';
import { isResting, type Push, pushAt, pushOf, REST, Stick } from '../../src/pages/cameras/stick.ts';
import { chooseStreams, filledFrom, linesOf, nameFor, titleOf } from '../../src/pages/devices/found.ts';
import { causesOf, missed, percent } from '../../src/pages/devices/uptime.ts';

const FOUND: FoundDevice = {
  address: '10.20.3.14', device_url: 'http://10.20.3.14', vendor: 'Dahua', model: 'IPC-HFW5442E-ZE', firmware: '', serial: '', mac: '', name: '',
  certificate_sha256: null, known_as: null, has_moved: false,
};
const profile = (token: string, width: number | null, url = `rtsp://10.20.3.14/${token}`): StreamProfile => ({
  token, name: token, url, codec: 'h264', width_px: width, height_px: width && width / 2, fps: null, kbit_per_s: null, keyframe_interval_s: null, has_ptz: false,
  has_metadata: false,
});
const looked = (...profiles: StreamProfile[]): LookedAt => ({
  identity: null, profiles, clock_offset_s: null, certificate_sha256: null, warnings: [], problem: '', remedy: '',
});

describe('a device that was found', () => {
  it('is called by what is known of it', () => {
    expect(titleOf(FOUND)).toBe('Dahua IPC-HFW5442E-ZE');
    expect(titleOf({ ...FOUND, vendor: '', model: '' })).toBe('10.20.3.14');
  });

  it('gets a name that a camera may have, however long its model is', () => {
    const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
    for (const model of ['IPC-HFW5442E-ZE', 'Ä'.repeat(80), 'x'.repeat(200), '---', '']) {
      expect(nameFor({ ...FOUND, model, vendor: '' }), model).toMatch(NAME);
    }
    expect(nameFor(FOUND)).toBe('ipc-hfw5442e-ze-3-14');
    expect(nameFor({ ...FOUND, address: 'fe80::1:2' })).toMatch(NAME);
  });

  it('is recorded in its largest stream and analysed in its smallest', () => {
    expect(chooseStreams([profile('sub', 640), profile('main', 2560), profile('mid', 1280)])).toMatchObject({ main: { token: 'main' }, sub: { token: 'sub' } });
    expect(chooseStreams([profile('main', 2560)])).toMatchObject({ main: { token: 'main' }, sub: null });
    expect(chooseStreams([profile('a', null), profile('b', null)])).toMatchObject({ sub: null });
    expect(chooseStreams([profile('main', 2560, '')])).toEqual({ main: null, sub: null });
  });

  it('fills in the form, with what was asked and pinned', () => {
    const filled = filledFrom(FOUND, looked(profile('main', 1920), profile('sub', 640)), { username: 'admin', password: 'word', certificate_sha256: 'ab' });
    expect(filled).toMatchObject({
      url: 'rtsp://10.20.3.14/main', sub_url: 'rtsp://10.20.3.14/sub', username: 'admin', password: 'word', device_url: 'http://10.20.3.14',
      device_certificate_sha256: 'ab',
    });
  });

  it('is looked for in one range a line', () => {
    expect(linesOf(' 10.0.0.0/24\n\n10.0.1.0/24, 10.0.2.0/24 ')).toEqual(['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24']);
  });
});

const audit = (camera: string, recognise: Level, is_armed: Level = 'no'): AuditSummary => ({
  id: camera, camera, site: '', made: null, identity: null, detect: 'unknown', capture: 'unknown', recognise, is_armed, has_library: 'unknown',
  auto_tracking: 'unknown', libraries: null, entries: null, has_drifted: false,
});

describe('audits', () => {
  it('begin with what is switched on, then what is able, then what nobody knows', () => {
    const all = [audit('d', 'no'), audit('c', 'unknown'), audit('b', 'yes'), audit('a', 'no', 'yes')];
    expect(inOrder(all).map((each) => each.camera)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('count the unknown apart: it is no no', () => {
    expect(summed([audit('a', 'yes'), audit('b', 'unknown', 'yes'), audit('c', 'no')])).toEqual({ able: 1, unsure: 1, armed: 1 });
  });

  it('tell together what one answer says of several abilities, and apart what differs', () => {
    const finding = (ability: Ability, evidence: number, because: string, level: Level = 'yes'): Finding => ({ ability, level, because, evidence });
    const findings = [finding('detect', 0, 'a'), finding('capture', 0, 'a'), finding('detect', 1, 'a'), finding('detect', 0, 'b'), finding('capture', 0, 'b', 'no')];
    expect(together(findings)).toEqual([
      { abilities: ['detect', 'capture'], level: 'yes', because: 'a', evidence: 0 },
      { abilities: ['detect'], level: 'yes', because: 'a', evidence: 1 },
      { abilities: ['detect'], level: 'yes', because: 'b', evidence: 0 },
      { abilities: ['capture'], level: 'no', because: 'b', evidence: 0 },
    ]);
  });
});

describe('uptime', () => {
  it('is never rounded up to the whole', () => {
    expect(percent(0.99999)).toBe('99.99 %');
    expect(percent(1)).toBe('100 %');
    expect(percent(null)).toBeNull();
    expect(percent(0.99999, 'de')).toBe('99,99 %');
  });

  it('calls a moment that was missed no 0 s', () => {
    expect([0, 0.3, 1, 75].map(missed)).toEqual(['0 s', '< 1 s', '1 s', '1 min 15 s']);
  });

  it('tells the longest cause first, and none that took no time', () => {
    expect(causesOf({ starting: 1, removed: 0, stopped: 9 })).toEqual([['stopped', 9], ['starting', 1]]);
  });
});

describe('what is told of a device', () => {
  const device: Device = {
    camera: 'plaza', device_url: null, identity: null, seen: null, is_reachable: null, problem: '', warnings: [], profiles: [],
    health: { asked: null, clock_offset_s: null, ntp: null, temperature_c: null, uptime_s: null, storage: [] }, stream: null,
  };

  it('has no line for what it did not say, and one for a zero', () => {
    expect(factsOf(device)).toEqual([]);
    expect(factsOf({ ...device, health: { ...device.health, clock_offset_s: 0, temperature_c: 0 } }).map((fact) => fact.label)).toEqual(['devices.clock', 'devices.temperature']);
  });

  it('warns in our words, or in those of the server', () => {
    expect(warningText({ kind: 'no_tls', detail: 'x' })).toEqual({ text: 'It is asked without encryption.', detail: 'x' });
    expect(warningText({ kind: 'new_kind', detail: 'something new' })).toEqual({ text: 'something new', detail: '' });
  });
});

describe('a joystick', () => {
  const PAD = { left: 100, top: 100, width: 200, height: 200 };

  it('rests in the middle, and never leaves its range', () => {
    expect(isResting(pushAt(203, 198, PAD))).toBe(true);
    expect(pushAt(900, -900, PAD)).toEqual({ pan: 1, tilt: 1, zoom: 0 });
  });

  it('is worked by keys, two at once too; other keys are not its own', () => {
    expect(pushOf(['ArrowLeft', 'ArrowUp'])).toEqual({ pan: -0.5, tilt: 0.5, zoom: 0 });
    expect(pushOf(['a'])).toBeNull();
  });

  function made() {
    const sent: string[] = [];
    const problems: unknown[] = [];
    const commands = {
      move: vi.fn(async (push: Push) => void sent.push(`move ${push.pan}`)),
      stop: vi.fn(async () => void sent.push('stop')),
    };
    return { stick: new Stick(commands, (error) => problems.push(error)), sent, problems, commands };
  }

  it('goes on while it is held, and stops once', async () => {
    vi.useFakeTimers();
    const { stick, sent } = made();
    stick.set({ ...REST, pan: 1 });
    await vi.advanceTimersByTimeAsync(650);
    stick.rest();
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['move 1', 'move 1', 'move 1', 'stop']);
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toHaveLength(4);
    vi.useRealTimers();
  });

  it('stops also when it is let go while a command is under way', async () => {
    vi.useFakeTimers();
    const { stick, sent, commands } = made();
    commands.move.mockImplementationOnce(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      sent.push('move');
    });
    stick.set({ ...REST, pan: 1 });
    await vi.advanceTimersByTimeAsync(100);
    stick.rest();
    await vi.advanceTimersByTimeAsync(2000);
    expect(sent).toEqual(['move', 'stop']);
    vi.useRealTimers();
  });

  it('sends no stop for what never moved', async () => {
    const { stick, sent } = made();
    stick.rest();
    await Promise.resolve();
    expect(sent).toEqual([]);
  });

  it('ends with the first problem, and tells it', async () => {
    vi.useFakeTimers();
    const { stick, sent, problems, commands } = made();
    commands.move.mockRejectedValueOnce(new Error('away'));
    stick.set({ ...REST, pan: 1 });
    await vi.advanceTimersByTimeAsync(2000);
    expect(problems).toHaveLength(1);
    expect(sent).toEqual([]);
    vi.useRealTimers();
  });
});

describe('a tour', () => {
  it('goes in the order in which its stops were chosen, and leaves out what was taken back', () => {
    const chosen = ['bridge', 'square', 'gate'].reduce<string[]>((stops, token) => toggled(stops, token), []);
    expect(chosen).toEqual(['bridge', 'square', 'gate']);
    expect(toggled(chosen, 'square')).toEqual(['bridge', 'gate']);
    expect(toggled(toggled(chosen, 'square'), 'square')).toEqual(['bridge', 'gate', 'square']);
  });
});
