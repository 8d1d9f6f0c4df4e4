// What a page shows is the answer to what it asks now, or nothing; and what failed can be asked once more.
import { expect, it } from 'vitest';

import { Problem } from '../src/api/client.ts';
import type { Page } from '../src/api/types.ts';
import { Loaded, Paged } from '../src/app/loaded.svelte.ts';

const broken = (): Promise<never> => Promise.reject(new Problem(500, '', 'it broke'));

it('keeps an answer while it is loaded anew, and says when that failed', async () => {
  let answer = (): Promise<string> => Promise.resolve('today');
  const loaded = new Loaded(() => answer(), () => 'plaza');
  await loaded.reload();
  answer = broken;
  const under = loaded.reload();
  expect([loaded.value, loaded.isLoading]).toEqual(['today', true]);
  await under;
  expect([loaded.value, loaded.problem?.detail]).toEqual(['today', 'it broke']);
});

it('shows no answer under another question, while that is on its way nor after it failed', async () => {
  let question = 'today';
  let answer = (): Promise<string> => Promise.resolve(`of ${question}`);
  const loaded = new Loaded(() => answer(), () => question);
  await loaded.reload();
  question = 'yesterday';
  expect(loaded.value).toBeNull();
  answer = broken;
  await loaded.reload();
  expect([loaded.value, loaded.problem?.detail]).toEqual([null, 'it broke']);
  question = 'today';
  expect([loaded.value, loaded.problem]).toEqual(['of today', null]);
});

it('gives a late answer to no question that came after it', async () => {
  let question = 'today';
  let give: (value: string) => void = () => undefined;
  const loaded = new Loaded(() => new Promise<string>((resolve) => (give = resolve)), () => question);
  const first = loaded.reload();
  question = 'yesterday';
  give('of today');
  await first;
  expect(loaded.value).toBeNull();
});

function given(): { list: Paged<number>; asked: string[]; set: (next: { filter?: string; fails?: boolean }) => void } {
  let [filter, fails] = ['', false];
  const asked: string[] = [];
  const fetcher = (cursor: string): Promise<Page<number>> => {
    asked.push(filter + cursor);
    if (fails) return broken();
    return Promise.resolve(cursor ? { items: [3, 4], next: null } : { items: [1, 2], next: '+1' });
  };
  const list = new Paged<number>(fetcher, () => filter);
  return { list, asked, set: (next) => ({ filter = filter, fails = fails } = next) };
}

it('leaves no rows of other filters, and tries the filter again and not the old next page', async () => {
  const { list, asked, set } = given();
  await list.reload();
  set({ filter: 'plaza', fails: true });
  await list.reload();
  expect([list.items, list.next, list.isThere, list.problem?.detail]).toEqual([[], null, false, 'it broke']);
  set({ fails: false });
  await list.retry();
  expect([list.items, list.problem, asked]).toEqual([[1, 2], null, ['', 'plaza', 'plaza']]);
});

it('tries the next page again, and keeps what is there', async () => {
  const { list, asked, set } = given();
  await list.reload();
  set({ fails: true });
  await list.more();
  expect([list.items, list.problem?.detail]).toEqual([[1, 2], 'it broke']);
  set({ fails: false });
  await list.retry();
  expect([list.items, list.problem, asked]).toEqual([[1, 2, 3, 4], null, ['', '+1', '+1']]);
});
