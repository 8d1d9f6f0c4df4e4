// The rules of a camera as its rules file has them (docs/reference/rules.md), and every change that can be made of them.
import { labelPoint, type Point, settled } from './geometry.ts';

export type CountedKind = 'person' | 'bicycle' | 'vehicle' | 'object';
export type Way = 'forward' | 'backward';
export type Anchor = 'foot' | 'centre';
export type RuleSeverity = 'info' | 'warning' | 'alarm';

export const KINDS: readonly CountedKind[] = ['person', 'bicycle', 'vehicle', 'object'];

interface PlaceParts {
  name: string;
  kinds: readonly CountedKind[];
  anchor: Anchor;
  points: readonly Point[];
}

export type Line = PlaceParts;
export interface Zone extends PlaceParts {
  area_m2: number | null;
}

export const RULE_TYPES = [
  'line_crossed',
  'zone_entered',
  'occupancy',
  'dwell',
  'crowd_density',
  'stopped_vehicle',
  'wrong_way',
  'queue',
  'object_left',
  'object_removed',
] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/** All fields that any rule may have; which of them one has is told by `FIELDS`. */
export interface Rule {
  type: RuleType;
  name: string;
  severity: RuleSeverity;
  cooldown_s: number;
  line?: string;
  zone?: string;
  ways?: readonly Way[];
  after_s?: number;
  most?: number | null;
  most_m?: number | null;
  levels_per_m2?: readonly number[];
  direction?: readonly [Point, Point];
  least_path?: number;
}

export interface Correspondence {
  image: Point;
  map_m?: readonly [number, number] | null;
  lat_lon?: readonly [number, number] | null;
}

export interface Calibration {
  points: readonly Correspondence[];
  largest_error_m: number;
}

export interface HeatMap {
  columns: number;
  rows: number;
  kinds: readonly CountedKind[];
}

export interface Book {
  line: readonly Line[];
  zone: readonly Zone[];
  rule: readonly Rule[];
  calibration: Calibration | null;
  heat_map: HeatMap | null;
}

export type PlaceSort = 'line' | 'zone';
export type NumberField = 'after_s' | 'most' | 'most_m' | 'least_path' | 'cooldown_s';

/** How a number of a rule is entered: its limits, its unit, and what stands for "nothing". */
export interface NumberShape {
  field: NumberField;
  unit: 's' | 'things' | 'm' | 'share';
  least: number;
  most: number;
  step: number;
  /** What a new rule has; null where it may be left out. */
  first: number | null;
}

const AFTER = { field: 'after_s', unit: 's', least: 0, most: 3600, step: 1 } as const;
const STAY = { ...AFTER, least: 0.1, most: 86_400 } as const;

/** What each type of rule asks for, beside name, severity and place. */
export const FIELDS: Record<RuleType, readonly NumberShape[]> = {
  line_crossed: [],
  zone_entered: [{ ...AFTER, first: 1 }],
  occupancy: [
    { field: 'most', unit: 'things', least: 0, most: 100_000, step: 1, first: 10 },
    { ...AFTER, first: 5 },
  ],
  dwell: [{ ...STAY, first: 60 }],
  crowd_density: [{ ...AFTER, first: 5 }],
  stopped_vehicle: [{ ...STAY, first: 10 }],
  wrong_way: [{ field: 'least_path', unit: 'share', least: 0.01, most: 1, step: 0.01, first: 0.05 }],
  queue: [
    { field: 'most', unit: 'things', least: 0, most: 100_000, step: 1, first: 5 },
    { field: 'most_m', unit: 'm', least: 0.1, most: 10_000, step: 0.5, first: null },
    { ...AFTER, first: 10 },
  ],
  object_left: [{ ...STAY, first: 60 }],
  object_removed: [],
};

export const COOLDOWN: NumberShape = { field: 'cooldown_s', unit: 's', least: 0, most: 86_400, step: 1, first: 10 };

export const EMPTY: Book = { line: [], zone: [], rule: [], calibration: null, heat_map: null };

/** Whatever the server sends, with every default in its place. */
export function readBook(told: Partial<Book> | Record<string, unknown>): Book {
  const book = told as Partial<Book>;
  const place = <P extends Line>(given: P): P => ({ ...given, kinds: given.kinds ?? KINDS, anchor: given.anchor ?? 'foot' });
  return {
    line: (book.line ?? []).map(place),
    zone: (book.zone ?? []).map((zone) => ({ ...place(zone), area_m2: zone.area_m2 ?? null })),
    rule: book.rule ?? [],
    calibration: book.calibration ?? null,
    heat_map: book.heat_map ?? null,
  };
}

/** As it is sent: without what is null, which the rules file does not have. */
export function writeBook(book: Book): Record<string, unknown> {
  return JSON.parse(JSON.stringify(book, (_key, value: unknown) => (value === null ? undefined : value))) as Record<string, unknown>;
}

export function isSame(one: Book, other: Book): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

export const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?$/;

export type NameMistake = 'empty' | 'shape' | 'taken';

export function nameMistake(name: string, others: readonly string[]): NameMistake | null {
  if (!name) return 'empty';
  if (!NAME.test(name)) return 'shape';
  return others.includes(name) ? 'taken' : null;
}

/** `line-2`: the first number that is free. */
export function freeName(stem: string, taken: readonly string[]): string {
  for (let n = 1; ; n++) {
    const name = `${stem}-${n}`;
    if (!taken.includes(name)) return name;
  }
}

export function placeNames(book: Book): string[] {
  return [...book.line, ...book.zone].map((place) => place.name);
}

export function rulesOf(book: Book, name: string): Rule[] {
  return book.rule.filter((rule) => rule.line === name || rule.zone === name);
}

export function withPlace(book: Book, sort: PlaceSort, points: readonly Point[]): Book {
  const place = { name: freeName(sort, placeNames(book)), kinds: KINDS, anchor: 'foot' as const, points };
  if (sort === 'line') return { ...book, line: [...book.line, place] };
  return { ...book, zone: [...book.zone, { ...place, area_m2: null }] };
}

/** Change a line or zone; rules that watch it go along with its name. */
export function withPlaceChanged(book: Book, sort: PlaceSort, at: number, change: Partial<Zone>): Book {
  const before = book[sort][at];
  if (!before) return book;
  const places = book[sort].map((place, number) => (number === at ? { ...place, ...change } : place));
  const changed = { ...book, [sort]: places } as Book;
  const name = change.name;
  if (name === undefined || name === before.name) return changed;
  return { ...changed, rule: book.rule.map((rule) => (rule[sort] === before.name ? { ...rule, [sort]: name } : rule)) };
}

/** Take a line or zone out, and the rules that watch it: without it they are mistakes. */
export function withoutPlace(book: Book, sort: PlaceSort, at: number): Book {
  const gone = book[sort][at];
  return {
    ...book,
    [sort]: book[sort].filter((_, number) => number !== at),
    rule: book.rule.filter((rule) => rule[sort] !== gone?.name),
  } as Book;
}

export function newRule(book: Book, type: RuleType, place: string): Rule {
  const stem = type.replaceAll('_', '-');
  const rule: Rule = {
    type,
    name: freeName(stem, book.rule.map((each) => each.name)),
    severity: type === 'crowd_density' || type === 'wrong_way' ? 'alarm' : 'warning',
    cooldown_s: 10,
  };
  if (type === 'line_crossed') Object.assign(rule, { line: place, ways: ['forward', 'backward'] });
  else rule.zone = place;
  for (const shape of FIELDS[type]) if (shape.first !== null) rule[shape.field] = shape.first;
  if (type === 'crowd_density') rule.levels_per_m2 = [2, 4, 5];
  if (type === 'wrong_way') rule.direction = directionIn(book.zone.find((zone) => zone.name === place)?.points ?? []);
  return rule;
}

/** An arrow to begin with, in the middle of the zone that it is for. */
function directionIn(points: readonly Point[]): [Point, Point] {
  const [x, y] = points.length ? labelPoint(points) : [0.5, 0.5];
  return [settled([x - 0.06, y]), settled([x + 0.06, y])];
}

export function withRule(book: Book, rule: Rule): Book {
  return { ...book, rule: [...book.rule, rule] };
}

export function withRuleChanged(book: Book, at: number, change: Partial<Rule>): Book {
  return { ...book, rule: book.rule.map((rule, number) => (number === at ? { ...rule, ...change } : rule)) };
}

export function withoutRule(book: Book, at: number): Book {
  return { ...book, rule: book.rule.filter((_, number) => number !== at) };
}

/** Which types of rules can watch a line or a zone. */
export function typesFor(sort: PlaceSort): RuleType[] {
  return RULE_TYPES.filter((type) => (type === 'line_crossed') === (sort === 'line'));
}

/** Whether a rule needs to know sizes on the ground that nothing tells yet. */
export function needsGround(book: Book, rule: Rule): boolean {
  if (book.calibration) return false;
  if (rule.type === 'crowd_density') return book.zone.find((zone) => zone.name === rule.zone)?.area_m2 == null;
  return rule.type === 'queue' && rule.most_m != null;
}

export interface ToldMistake {
  at: string;
  problem: string;
}

/** Those of the server's mistakes that lie at or below a place such as `rule.2`, with the field they are at. */
export function mistakesAt(mistakes: readonly ToldMistake[], place: string): { field: string; problem: string }[] {
  return mistakes.flatMap(({ at, problem }) => {
    const inner = at.replace(/^(body\.)?rules\./, '').replace(/\[(\d+)\]/g, '.$1');
    if (inner === place) return [{ field: '', problem }];
    return inner.startsWith(`${place}.`) ? [{ field: inner.slice(place.length + 1), problem }] : [];
  });
}
