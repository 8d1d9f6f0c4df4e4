// Reads the few boxes of fragmented MP4 that a player must know: when a picture was taken, where it stands, how long it lasts.
// Sources: ISO/IEC 14496-12 (8.16.5 prft, 8.8.12 tfdt, 8.8.8 trun), RFC 5905 (NTP timestamps).

export interface Box {
  kind: string;
  start: number;
  /** The first byte after the header. */
  content: number;
  end: number;
}

/** The wall time (UTC) at a place of the stream's own timeline. */
export interface ReferenceTime {
  wallMs: number;
  mediaTicks: number;
}

export interface Sample {
  decodeTicks: number;
  presentTicks: number;
  durationTicks: number;
  isKeyframe: boolean;
}

export interface FragmentFacts {
  reference: ReferenceTime | null;
  decodeTicks: number;
  samples: Sample[];
}

const NTP_EPOCH_S = 2_208_988_800;
const NOT_SYNC = 0x0001_0000;
const CONTAINERS = new Set(['moof', 'traf', 'moov', 'trak', 'mdia']);
// More samples than any fragment of ours has; a length beyond it is a broken file.
const MOST_SAMPLES = 4096;

/** The boxes between two places; ends at one that is cut. */
export function* boxes(view: DataView, start = 0, end = view.byteLength): Generator<Box> {
  while (start + 8 <= end) {
    let length = view.getUint32(start);
    let content = start + 8;
    if (length === 1 && start + 16 <= end) {
      length = Number(view.getBigUint64(start + 8));
      content = start + 16;
    } else if (length === 0) length = end - start;
    if (length < content - start || start + length > end) return;
    yield { kind: kindOf(view, start + 4), start, content, end: start + length };
    start += length;
  }
}

/** Every box of a kind, also inside of others. */
function* inside(view: DataView, start = 0, end = view.byteLength): Generator<Box> {
  for (const box of boxes(view, start, end)) {
    yield box;
    if (CONTAINERS.has(box.kind)) yield* inside(view, box.content, box.end);
  }
}

function kindOf(view: DataView, at: number): string {
  return String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));
}

/** Milliseconds since 1970 of a 64-bit NTP timestamp. The era that began in 2036 is told by the highest bit being clear. */
export function ntpToMs(seconds: number, fraction: number): number {
  const whole = seconds >= 2 ** 31 ? seconds : seconds + 2 ** 32;
  return (whole - NTP_EPOCH_S) * 1000 + (fraction / 2 ** 32) * 1000;
}

/** What fragments say of themselves, one for each `moof`; a `prft` belongs to the `moof` after it. */
export function readFragments(bytes: ArrayBuffer | DataView): FragmentFacts[] {
  const view = bytes instanceof DataView ? bytes : new DataView(bytes);
  const found: FragmentFacts[] = [];
  let reference: ReferenceTime | null = null;
  for (const box of boxes(view)) {
    if (box.kind === 'prft') reference = readReference(view, box);
    if (box.kind !== 'moof') continue;
    found.push(readMoof(view, box, reference));
    reference = null;
  }
  return found;
}

function readReference(view: DataView, box: Box): ReferenceTime | null {
  const version = view.getUint8(box.content);
  const at = box.content + 8; // version and flags, track
  if (at + (version === 1 ? 16 : 12) > box.end) return null;
  const wallMs = ntpToMs(view.getUint32(at), view.getUint32(at + 4));
  return { wallMs, mediaTicks: version === 1 ? Number(view.getBigUint64(at + 8)) : view.getUint32(at + 8) };
}

function readMoof(view: DataView, moof: Box, reference: ReferenceTime | null): FragmentFacts {
  const facts: FragmentFacts = { reference, decodeTicks: 0, samples: [] };
  let defaults = { duration: 0, flags: 0 };
  let next = 0;
  for (const box of inside(view, moof.content, moof.end)) {
    if (box.kind === 'tfhd') defaults = readDefaults(view, box);
    if (box.kind === 'tfdt') {
      next = view.getUint8(box.content) === 1 ? Number(view.getBigUint64(box.content + 4)) : view.getUint32(box.content + 4);
      facts.decodeTicks = next;
    }
    if (box.kind === 'trun') next = readRun(view, box, next, defaults, facts.samples);
  }
  return facts;
}

function readDefaults(view: DataView, box: Box): { duration: number; flags: number } {
  const flags = view.getUint32(box.content) & 0xff_ffff;
  let at = box.content + 8;
  const take = (bit: number, bytes: number): number => {
    if (!(flags & bit)) return 0;
    at += bytes;
    return bytes === 8 ? 0 : view.getUint32(at - bytes);
  };
  take(0x1, 8);
  take(0x2, 4);
  const duration = take(0x8, 4);
  take(0x10, 4);
  return { duration, flags: take(0x20, 4) };
}

function readRun(view: DataView, box: Box, next: number, defaults: { duration: number; flags: number }, into: Sample[]): number {
  const flags = view.getUint32(box.content) & 0xff_ffff;
  const isSigned = view.getUint8(box.content) === 1;
  const count = Math.min(view.getUint32(box.content + 4), MOST_SAMPLES);
  let at = box.content + 8 + (flags & 0x1 ? 4 : 0);
  let first = -1;
  if (flags & 0x4) {
    first = view.getUint32(at);
    at += 4;
  }
  const width = [0x100, 0x200, 0x400, 0x800].reduce((sum, bit) => sum + (flags & bit ? 4 : 0), 0);
  for (let index = 0; index < count && at + width <= box.end; index++) {
    let field = at;
    const take = (bit: number, otherwise: number): number => {
      if (!(flags & bit)) return otherwise;
      field += 4;
      return view.getUint32(field - 4);
    };
    const duration = take(0x100, defaults.duration);
    take(0x200, 0);
    const sampleFlags = take(0x400, index === 0 && first >= 0 ? first : defaults.flags);
    const shift = flags & 0x800 ? (isSigned ? view.getInt32(field) : view.getUint32(field)) : 0;
    into.push({ decodeTicks: next, presentTicks: next + shift, durationTicks: duration, isKeyframe: !(sampleFlags & NOT_SYNC) });
    next += duration;
    at += width;
  }
  return next;
}

/** Ticks a second of the first track of an init segment; ours is 90,000, and so is what is told without one. */
export function timescaleOf(init: ArrayBuffer): number {
  const view = new DataView(init);
  for (const box of inside(view)) {
    if (box.kind !== 'mdhd') continue;
    const ticks = view.getUint32(box.content + (view.getUint8(box.content) === 1 ? 20 : 12));
    if (ticks > 0) return ticks;
  }
  return 90_000;
}
