// Acts as text: readable details, and a CSV that a spreadsheet opens without running anything in it.
import type { Act, Page } from '../../api/types.ts';

/** `key: value` of all that is known of an act, nested things flattened with dots. */
export function detailsOf(detail: Record<string, unknown>): { key: string; value: string }[] {
  return Object.entries(detail).flatMap(([key, value]) => flat(key, value));
}

function flat(key: string, value: unknown): { key: string; value: string }[] {
  if (value === null || value === undefined || value === '') return [];
  if (Array.isArray(value)) {
    // Nothing was added, removed or changed: a label with nothing behind it would seem to say something.
    if (!value.length) return [];
    const isPlain = value.every((each) => typeof each !== 'object' || each === null);
    return [{ key, value: isPlain ? value.join(', ') : JSON.stringify(value) }];
  }
  if (typeof value === 'object') return Object.entries(value).flatMap(([inner, each]) => flat(`${key}.${inner}`, each));
  return [{ key, value: String(value) }];
}

/** What a detail is called: each part of its key by its word, and as it stands where there is none. */
export function detailName(key: string, word: (part: string) => string): string {
  return key.split('.').map(word).join(', ');
}

/** More than these are a matter for the API: a browser would hold them all at once. */
export const MOST_ACTS = 20_000;

/** All acts of a list that is fetched page by page, as many as may be; `isCut` where there are more. */
export async function allOf(fetcher: (cursor: string) => Promise<Page<Act>>, most = MOST_ACTS): Promise<{ acts: Act[]; isCut: boolean }> {
  const acts: Act[] = [];
  let cursor: string | null = '';
  do {
    const page: Page<Act> = await fetcher(cursor);
    acts.push(...page.items);
    cursor = page.next;
  } while (cursor && acts.length < most);
  return { acts: acts.slice(0, most), isCut: cursor !== null || acts.length > most };
}

/** RFC 4180. What a spreadsheet would take for a formula is quoted with an apostrophe: names and reasons are typed by people. */
export function csvOf(acts: readonly Act[]): string {
  const rows = acts.map((act) => [
    act.at,
    act.kind,
    act.actor,
    act.subject,
    detailsOf(act.detail)
      .map(({ key, value }) => `${key}: ${value}`)
      .join('; '),
    act.id,
  ]);
  return [['at', 'kind', 'actor', 'subject', 'detail', 'id'], ...rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Have the browser save a text as a file. */
export function save(name: string, text: string, type = 'text/csv'): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['\ufeff', text], { type: `${type};charset=utf-8` }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
