// Every sentence of the console by key; English is always there, other languages are fetched when they are chosen.
import { en, type Words } from './en.ts';

export type { Words };
export type Plural = { one: string; other: string };
export type Language = 'en' | 'de';

/** `section.name` of every sentence. */
export type Key = { [S in keyof Words]: `${S & string}.${keyof Words[S] & string}` }[keyof Words];
export type Fill = Record<string, string | number>;

export const LANGUAGES: { id: Language; name: string }[] = [
  { id: 'en', name: 'English' },
  { id: 'de', name: 'Deutsch' },
];

class Speech {
  language = $state<Language>('en');
  words = $state.raw<Words>(en);
}

const speech = new Speech();

/** The language that is spoken now; reactive. */
export function language(): Language {
  return speech.language;
}

/** The first language of the browser that we speak. */
export function preferred(wanted: readonly string[]): Language {
  const known = LANGUAGES.map((each) => each.id as string);
  return (wanted.map((each) => each.slice(0, 2).toLowerCase()).find((each) => known.includes(each)) ?? 'en') as Language;
}

export async function speak(wanted: Language): Promise<void> {
  speech.words = wanted === 'de' ? (await import('./de.ts')).de : en;
  speech.language = wanted;
  document.documentElement.lang = wanted;
}

/** The sentence of a key, its `{name}`s filled in; `n` chooses between one and many. */
export function t(key: Key, fill: Fill = {}): string {
  return say(speech.words, speech.language, key, fill);
}

/** The sentence of a key that is made of a word of the API; the word itself where nothing is said of it. */
export function named<S extends keyof Words>(section: S, word: string | null | undefined): string {
  if (!word) return '';
  const key = `${section}.${word}`;
  const found = find(speech.words, key) ?? find(en, key);
  return typeof found === 'string' ? found : word.replaceAll('_', ' ');
}

export function say(words: Words, inLanguage: string, key: Key, fill: Fill = {}): string {
  const found = find(words, key) ?? find(en, key);
  if (found === undefined) return key;
  const text = typeof found === 'string' ? found : plural(found, inLanguage, Number(fill['n'] ?? 0));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in fill ? show(fill[name]!, inLanguage) : whole));
}

function plural(found: Plural, inLanguage: string, n: number): string {
  return new Intl.PluralRules(inLanguage).select(n) === 'one' ? found.one : found.other;
}

function show(value: string | number, inLanguage: string): string {
  return typeof value === 'number' ? new Intl.NumberFormat(inLanguage).format(value) : value;
}

function find(words: Words, key: string): string | Plural | undefined {
  const dot = key.indexOf('.');
  const section = (words as unknown as Record<string, Record<string, string | Plural>>)[key.slice(0, dot)];
  return section?.[key.slice(dot + 1)];
}
