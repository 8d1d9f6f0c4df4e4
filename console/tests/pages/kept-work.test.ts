// What somebody drew, typed or set outlasts a save under way, a look elsewhere, and a colleague who was faster.
import { afterEach, describe, expect, it, vi } from 'vitest';

import { api } from '../../src/api/client.ts';
import type { Rules } from '../../src/api/types.ts';
import { Drafts } from '../../src/pages/events/drafts.ts';
import type { Calibration } from '../../src/pages/rules/book.ts';
import { Editor } from '../../src/pages/rules/editor.svelte.ts';
import { GroundDraft } from '../../src/pages/rules/grounding.svelte.ts';
import { changeOf, clashes, rebased } from '../../src/pages/settings/fields.ts';

afterEach(() => vi.restoreAllMocks());

describe('rules that are saved', () => {
  function saving(): { editor: Editor; answer: () => void; sent: () => unknown } {
    const editor = new Editor('plaza');
    vi.useFakeTimers();
    let resolve: (told: Rules) => void = () => undefined;
    const put = vi.spyOn(api, 'put').mockImplementation(() => new Promise((done) => (resolve = done as typeof resolve)) as never);
    const sent = (): unknown => (put.mock.calls[0]![1] as { rules: unknown }).rules;
    return { editor, answer: () => resolve({ rules: sent(), file: 'plaza.toml', etag: '"2"' } as Rules), sent };
  }

  afterEach(() => vi.useRealTimers());

  it('keep what is drawn meanwhile, and say that it is not saved', async () => {
    const { editor, answer } = saving();
    editor.addInMiddle('line');
    const saved = editor.save();
    editor.addInMiddle('zone');
    answer();
    expect(await saved).toBe(true);
    expect([editor.book.line.length, editor.book.zone.length, editor.isChanged, editor.etag]).toEqual([1, 1, true, '"2"']);
    expect(editor.saved.zone).toEqual([]);
    editor.undo();
    expect([editor.book.zone.length, editor.isChanged]).toEqual([0, false]);
    editor.stop();
  });

  it('are as the server has them where nothing was drawn meanwhile', async () => {
    const { editor, answer } = saving();
    editor.addInMiddle('line');
    const saved = editor.save();
    answer();
    await saved;
    expect([editor.isChanged, editor.history.past.length]).toEqual([false, 0]);
    editor.stop();
  });
});

describe('points of the ground', () => {
  const CALIBRATION: Calibration = { points: [{ image: [0.1, 0.2], map_m: [1, 2] }], largest_error_m: 0.5 };

  it('are those of the book until somebody makes others', () => {
    const draft = new GroundDraft();
    draft.takeUp(null);
    expect([draft.pairs.length, draft.isTouched]).toEqual([1, false]);
    draft.takeUp(CALIBRATION);
    expect([draft.pairs, draft.limit, draft.isTouched]).toEqual([[{ image: [0.1, 0.2], map: [1, 2] }], 0.5, false]);
  });

  it('outlast another tool, and go when they are thrown away', () => {
    const draft = new GroundDraft();
    draft.takeUp(CALIBRATION);
    draft.add();
    draft.set(1, { image: [0.5, 0.5] });
    draft.limitTo(2);
    draft.takeUp(CALIBRATION);
    expect([draft.pairs.length, draft.limit]).toEqual([2, 2]);
    draft.fill(CALIBRATION);
    expect([draft.pairs.length, draft.limit, draft.isTouched]).toEqual([1, 0.5, false]);
  });
});

describe('a comment', () => {
  it('stays with its event, and goes when it is sent', () => {
    const drafts = new Drafts();
    drafts.keep('1', 'a red bag ');
    drafts.keep('2', 'nobody there');
    expect([drafts.of('1'), drafts.of('3')]).toEqual(['a red bag ', '']);
    drafts.sent('1', 'a red bag');
    expect([drafts.of('1'), drafts.of('2')]).toEqual(['', 'nobody there']);
  });

  it('that was written on to while it was sent stays', () => {
    const drafts = new Drafts();
    drafts.keep('1', 'a red bag, and a hat');
    drafts.sent('1', 'a red bag');
    expect(drafts.of('1')).toBe('a red bag, and a hat');
  });

  it('is one of a bounded number', () => {
    const drafts = new Drafts();
    for (let at = 0; at < 300; at++) drafts.keep(String(at), 'x');
    expect([drafts.of('0'), drafts.of('299')]).toEqual(['', 'x']);
  });
});

describe('a configuration that somebody else has changed meanwhile', () => {
  const before = { site: 'Old Town', timezone: 'UTC', 'masking.preset': 'faces' };
  const mine = { ...before, site: 'New Town', 'masking.preset': 'heads' };
  const theirs = { ...before, timezone: 'Europe/Berlin', 'masking.preset': 'all' };

  it('has what is mine on top of what is theirs, and writes no more than that', () => {
    const now = rebased(before, mine, theirs);
    expect(now).toEqual({ site: 'New Town', timezone: 'Europe/Berlin', 'masking.preset': 'heads' });
    expect(changeOf(theirs, now)).toEqual({ site: 'New Town', masking: { preset: 'heads' } });
  });

  it('says where both changed something, and not where both did the same', () => {
    expect(clashes(before, mine, theirs)).toEqual(['masking.preset']);
    expect(clashes(before, mine, { ...theirs, 'masking.preset': 'heads' })).toEqual([]);
  });

  it('is filled in whole where nothing was there yet', () => {
    expect(rebased({}, {}, before)).toEqual(before);
  });
});
