// What is filled in of a camera, and what of it is sent: on a change only what is different.
import type { CameraDetail, CameraSettings, NewCamera } from '../../api/types.ts';

export interface Filled {
  name: string;
  url: string;
  sub_url: string;
  username: string;
  password: string;
  forgetsPassword: boolean;
  transport: 'tcp' | 'udp';
  /** Whether it may have the password itself, unencrypted: until it has taken a digest where nobody has said. */
  basic: '' | 'yes' | 'no';
  preset: string;
  site: string;
  certificate_sha256: string;
  device_url: string;
  device_certificate_sha256: string;
  schedule: string;
  sealed_days: number | null;
  masked_days: number | null;
}

export const BLANK: Filled = {
  name: '',
  url: '',
  sub_url: '',
  username: '',
  password: '',
  forgetsPassword: false,
  transport: 'tcp',
  basic: '',
  preset: '',
  site: '',
  certificate_sha256: '',
  device_url: '',
  device_certificate_sha256: '',
  schedule: '',
  sealed_days: null,
  masked_days: null,
};

export function filledOf(camera: CameraDetail): Filled {
  return {
    ...BLANK,
    name: camera.name,
    url: camera.url ?? '',
    sub_url: camera.sub_url ?? '',
    username: camera.username ?? '',
    transport: camera.transport ?? 'tcp',
    basic: camera.allow_basic === null ? '' : camera.allow_basic ? 'yes' : 'no',
    preset: camera.own_preset ?? '',
    site: camera.own_site ?? '',
    certificate_sha256: camera.certificate_sha256 ?? '',
    device_url: camera.device_url ?? '',
    device_certificate_sha256: camera.device_certificate_sha256 ?? '',
    schedule: (camera.schedule ?? []).join('\n'),
    sealed_days: camera.retention?.sealed_days ?? null,
    masked_days: camera.retention?.masked_days ?? null,
  };
}

const basicOf = (filled: Filled): boolean | null => (filled.basic === '' ? null : filled.basic === 'yes');
const lines = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean);
const OPTIONAL = ['sub_url', 'username', 'preset', 'site', 'certificate_sha256', 'device_url', 'device_certificate_sha256'] as const;

/** What is sent to try the camera; `camera` lets the server use the password that it keeps. */
export function testOf(filled: Filled, camera: string | null): Record<string, unknown> {
  const sent: Record<string, unknown> = { url: filled.url.trim(), transport: filled.transport, allow_basic: basicOf(filled) };
  for (const field of ['sub_url', 'username', 'certificate_sha256'] as const) if (filled[field].trim()) sent[field] = filled[field].trim();
  if (filled.password) sent['password'] = filled.password;
  if (camera !== null && !filled.forgetsPassword) sent['camera'] = camera;
  return sent;
}

export function newCamera(filled: Filled): NewCamera {
  const sent: NewCamera = { name: filled.name.trim(), url: filled.url.trim() };
  for (const field of OPTIONAL) if (filled[field].trim()) sent[field] = filled[field].trim();
  if (filled.password) sent.password = filled.password;
  if (filled.transport !== 'tcp') sent.transport = filled.transport;
  if (filled.basic !== '') sent.allow_basic = basicOf(filled);
  if (lines(filled.schedule).length) sent.schedule = lines(filled.schedule);
  if (filled.sealed_days !== null) sent.sealed_days = filled.sealed_days;
  if (filled.masked_days !== null) sent.masked_days = filled.masked_days;
  return sent;
}

/** Only what is different; what was emptied is null, so that its default holds. */
export function changeOf(before: Filled, now: Filled): CameraSettings {
  const sent: CameraSettings = {};
  if (now.url.trim() !== before.url) sent.url = now.url.trim();
  for (const field of OPTIONAL) if (now[field].trim() !== before[field]) sent[field] = now[field].trim() || null;
  if (now.transport !== before.transport) sent.transport = now.transport;
  if (now.basic !== before.basic) sent.allow_basic = basicOf(now);
  if (now.forgetsPassword) sent.password = null;
  else if (now.password) sent.password = now.password;
  if (lines(now.schedule).join('\n') !== lines(before.schedule).join('\n')) sent.schedule = lines(now.schedule);
  for (const field of ['sealed_days', 'masked_days'] as const) if ((now[field] ?? null) !== before[field]) sent[field] = now[field] ?? null;
  return sent;
}
