// What is told of a device, line by line; what it did not say has no line.
import type { Device } from '../../api/types.ts';
import { type Key, t } from '../../i18n/index.svelte.ts';

export interface Fact {
  label: Key;
  value: string;
}

const round = (value: number): number => Math.round(value * 10) / 10;

export function factsOf(device: Device): Fact[] {
  const { identity, health, stream } = device;
  const facts: [Key, string | null | undefined][] = [
    ['devices.device', identity && [identity.vendor, identity.model].filter(Boolean).join(' ')],
    ['devices.version', identity?.firmware],
    ['devices.serial', identity?.serial],
    ['devices.mac', identity?.mac],
    ['devices.address', device.device_url],
    ['devices.clock', health.clock_offset_s === null ? null : t('devices.clock_by', { s: round(health.clock_offset_s) })],
    ['devices.ntp', health.ntp],
    ['devices.temperature', health.temperature_c === null ? null : t('devices.degrees', { n: round(health.temperature_c) })],
    ['devices.storage', health.storage.map((each) => t('devices.storage_of', { name: each.name, state: each.state })).join(', ')],
    ['devices.stream', stream && streamLine(stream)],
    ['devices.loss', lossOf(stream)],
    ['devices.keyframes', stream?.keyframe_interval_s == null ? null : t('devices.seconds', { n: round(stream.keyframe_interval_s) })],
  ];
  return facts.flatMap(([label, value]) => (value ? [{ label, value }] : []));
}

function streamLine(stream: NonNullable<Device['stream']>): string {
  const frames = stream.fps === null ? null : t('devices.frames', { fps: round(stream.fps), nominal: stream.nominal_fps === null ? '–' : round(stream.nominal_fps) });
  const rate = stream.kbit_per_s === null ? null : t('devices.rate', { kbit: Math.round(stream.kbit_per_s), nominal: stream.nominal_kbit_per_s === null ? '–' : Math.round(stream.nominal_kbit_per_s) });
  return [frames, rate].filter(Boolean).join(' · ');
}

function lossOf(stream: Device['stream']): string | null {
  if (!stream || stream.lost_packets === null || stream.received_packets === null) return null;
  return t('devices.loss_of', { lost: stream.lost_packets, all: stream.lost_packets + stream.received_packets });
}

const WARNINGS: Record<string, Key> = {
  factory_password: 'devices.warn_factory_password',
  clock_off: 'devices.warn_clock_off',
  keyframes_far_apart: 'devices.warn_keyframes',
  low_bit_rate: 'devices.warn_low_rate',
  low_frame_rate: 'devices.warn_low_rate',
  metadata_stream: 'devices.warn_metadata_stream',
  no_tls: 'devices.warn_no_tls',
  packets_lost: 'devices.warn_packets_lost',
};

/** In our words where we have them, with the server's for the figures; else in the server's alone. */
export function warningText(warning: { kind: string; detail: string }): { text: string; detail: string } {
  const key = WARNINGS[warning.kind];
  return key ? { text: t(key), detail: warning.detail } : { text: warning.detail, detail: '' };
}
