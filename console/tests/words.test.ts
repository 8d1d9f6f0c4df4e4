// Every language says everything, with the same gaps to fill; what is said is said right.
import { describe, expect, it } from 'vitest';

import { de } from '../src/i18n/de.ts';
import { en } from '../src/i18n/en.ts';
import { type Plural, preferred, say, t } from '../src/i18n/index.svelte.ts';

type Sections = Record<string, Record<string, string | Plural>>;

const texts = (said: string | Plural): string[] => (typeof said === 'string' ? [said] : [said.one, said.other]);
const gaps = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map((found) => found[0]).sort();

describe.each(Object.entries({ de } as unknown as Record<string, Sections>))('%s', (_name, words) => {
  const english = en as unknown as Sections;

  it('has every key of English and no other', () => {
    const keys = (of: Sections): string[] => Object.entries(of).flatMap(([section, said]) => Object.keys(said).map((key) => `${section}.${key}`));
    expect(keys(words).sort()).toEqual(keys(english).sort());
  });

  it('leaves nothing empty, and fills the same gaps', () => {
    for (const [section, said] of Object.entries(english)) {
      for (const [key, text] of Object.entries(said)) {
        const translated = words[section]![key]!;
        for (const each of texts(translated)) expect(each.trim(), `${section}.${key}`).not.toBe('');
        expect(new Set(texts(translated).flatMap(gaps)), `${section}.${key}`).toEqual(new Set(texts(text).flatMap(gaps)));
      }
    }
  });
});

it('fills gaps and knows one from many', () => {
  expect(say(en, 'en', 'shell.alarms', { n: 1 })).toBe('1 alarm');
  expect(say(en, 'en', 'shell.alarms', { n: 1200 })).toBe('1,200 alarms');
  expect(say(de, 'de', 'shell.alarms', { n: 1200 })).toBe('1.200 Alarme');
  expect(t('kit.zone', { zone: 'CET' })).toContain('(CET)');
});

it('speaks the first language of the browser that it knows', () => {
  expect(preferred(['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(preferred(['fr'])).toBe('en');
});
