// What was found and what was said of it, in the words and addresses that the page of cameras takes over.
import type { FoundDevice, LookedAt, StreamProfile } from '../../api/types.ts';
import { BLANK, type Filled } from '../cameras/form.ts';

/** One entry a line, without blanks. */
export const linesOf = (text: string): string[] => text.split(/[\n,;]+/).map((line) => line.trim()).filter(Boolean);

export function titleOf(found: FoundDevice): string {
  return [found.vendor, found.model].filter(Boolean).join(' ') || found.name || found.address;
}

/** A name for a camera that nobody has named yet: what its model is called, and the end of its address. */
export function nameFor(found: FoundDevice): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  const end = plain(found.address.split(/[.:]/).filter(Boolean).slice(-2).join('-'));
  const start = plain(found.name || found.model || found.vendor) || 'camera';
  return `${start.slice(0, 62 - end.length).replace(/-+$/, '')}-${end}`;
}

/** The largest stream is recorded; the smallest of the others is analysed. */
export function chooseStreams(profiles: readonly StreamProfile[]): { main: StreamProfile | null; sub: StreamProfile | null } {
  const area = (of: StreamProfile): number => (of.width_px ?? 0) * (of.height_px ?? 0);
  const bySize = [...profiles].filter((each) => each.url).sort((one, other) => area(other) - area(one));
  const main = bySize[0] ?? null;
  const sub = bySize.at(-1) ?? null;
  return { main, sub: sub && main && sub !== main && area(sub) < area(main) ? sub : null };
}

export interface Asked {
  username: string;
  password: string;
  certificate_sha256: string;
}

/** What the form of a new camera begins with. */
export function filledFrom(found: FoundDevice, looked: LookedAt, asked: Asked): Filled {
  const { main, sub } = chooseStreams(looked.profiles);
  return {
    ...BLANK,
    name: nameFor(found),
    url: main?.url ?? '',
    sub_url: sub?.url ?? '',
    username: asked.username,
    password: asked.password,
    device_url: found.device_url,
    device_certificate_sha256: asked.certificate_sha256,
  };
}
