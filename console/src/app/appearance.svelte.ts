// Theme, language and the width of the rail: kept in this browser, and with the account so that they follow the person.
import { LANGUAGES, type Language, preferred, speak } from '../i18n/index.svelte.ts';
import { keep, kept } from './kept.ts';
import { session } from './session.svelte.ts';

export type Theme = 'system' | 'light' | 'dark';

const THEME = 'lamppost-theme';
const LANGUAGE = 'lamppost-language';
const RAIL = 'lamppost-rail';

class Appearance {
  theme = $state<Theme>(kept(THEME) === 'dark' ? 'dark' : kept(THEME) === 'light' ? 'light' : 'system');
  isRailNarrow = $state(kept(RAIL) === 'narrow');

  async start(): Promise<void> {
    const language = kept(LANGUAGE);
    await speak(isLanguage(language) ? language : preferred(navigator.languages));
  }

  /** Take over what the account prefers, where it prefers anything. */
  async follow(preferences: { theme?: unknown; language?: unknown }): Promise<void> {
    const { theme, language } = preferences;
    if (theme === 'system' || theme === 'light' || theme === 'dark') this.paint(theme);
    if (isLanguage(language)) {
      keep(LANGUAGE, language);
      await speak(language);
    }
  }

  choose(theme: Theme): void {
    this.paint(theme);
    if (session.me) void session.prefer({ theme }).catch(() => undefined); // this browser has it in any case
  }

  async chooseLanguage(language: Language): Promise<void> {
    keep(LANGUAGE, language);
    await speak(language);
    if (session.me) void session.prefer({ language }).catch(() => undefined);
  }

  toggleRail(): void {
    this.isRailNarrow = !this.isRailNarrow;
    keep(RAIL, this.isRailNarrow ? 'narrow' : '');
  }

  private paint(theme: Theme): void {
    this.theme = theme;
    keep(THEME, theme === 'system' ? '' : theme);
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }
}

function isLanguage(word: unknown): word is Language {
  return LANGUAGES.some((each) => each.id === word);
}

export const appearance = new Appearance();
