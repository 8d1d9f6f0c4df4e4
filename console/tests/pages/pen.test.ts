// What a pointer and keys do on the stage of the rules.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Editor } from '../../src/pages/rules/editor.svelte.ts';
import { nudgePoint, nudgeShape } from '../../src/pages/rules/nudge.ts';
import { Pen } from '../../src/pages/rules/pen.svelte.ts';

interface Given {
  editor: Editor;
  pen: Pen;
  captured: number[];
  press: (x: number, y: number) => void;
  move: (x: number, y: number, alt?: boolean) => void;
  at: (x: number, y: number) => PointerEvent;
}

/** A stage of 1000 × 500 pixels at (100, 50). */
function given(): Given {
  const editor = new Editor('plaza');
  const captured: number[] = [];
  const pen = new Pen(editor, { aspect: () => 2, box: () => ({ left: 100, top: 50, width: 1000, height: 500 }), capture: (id) => captured.push(id), onground: () => undefined });
  const at = (x: number, y: number, altKey = false): PointerEvent =>
    ({ button: 0, clientX: 100 + x * 1000, clientY: 50 + y * 500, altKey, shiftKey: false, pointerId: 7, stopPropagation: () => undefined }) as unknown as PointerEvent;
  return { editor, pen, captured, at, press: (x, y) => pen.press(at(x, y)), move: (x, y, alt) => pen.move(at(x, y, alt)) };
}

const key = (name: string, shiftKey = false): KeyboardEvent => ({ key: name, shiftKey, preventDefault: vi.fn(), stopPropagation: vi.fn() }) as unknown as KeyboardEvent;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe('a pen', () => {
  it('draws a zone, and closes it at its first point', () => {
    const { editor, press } = given();
    editor.use('zone');
    for (const [x, y] of [[0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.201, 0.201]] as const) press(x, y); // prettier-ignore
    expect(editor.book.zone[0]!.points).toEqual([[0.2, 0.2], [0.6, 0.2], [0.6, 0.7]]); // prettier-ignore
    expect([editor.tool, editor.selection]).toEqual(['select', { sort: 'zone', at: 0 }]);
  });

  it('shows where the next point would go, drawn to what is near unless Alt is held', () => {
    const { editor, pen, move } = given();
    editor.addInMiddle('line');
    editor.use('line');
    move(0.303, 0.505);
    expect(pen.hover).toEqual([0.3, 0.5]);
    move(0.303, 0.505, true);
    expect(pen.hover).toEqual([0.303, 0.505]);
  });

  it('drags one point, undone as one; a click that trembles moves nothing', () => {
    const { editor, pen, captured, move, at } = given();
    editor.addInMiddle('line');
    pen.grab(at(0.3, 0.5), { sort: 'line', at: 0 }, 0);
    move(0.301, 0.501);
    expect(editor.book.line[0]!.points[0]).toEqual([0.3, 0.5]);
    move(0.2, 0.4);
    move(0.1, 0.3);
    pen.release();
    expect(editor.book.line[0]!.points[0]).toEqual([0.1, 0.3]);
    expect(captured).toEqual([7]);
    editor.undo();
    expect(editor.book.line[0]!.points[0]).toEqual([0.3, 0.5]);
  });

  it('drags a shape whole, and not out of the picture', () => {
    const { editor, pen, move, at } = given();
    editor.addInMiddle('line');
    pen.grab(at(0.5, 0.5), { sort: 'line', at: 0 }, null);
    move(1, 0.6);
    pen.release();
    expect(editor.book.line[0]!.points).toEqual([[0.6, 0.6], [1, 0.6]]); // prettier-ignore
  });

  it('lets an edge grow a point, by its middle or by a double click', () => {
    const { editor, pen, move, at } = given();
    editor.addInMiddle('line');
    pen.grow(at(0.5, 0.5), { sort: 'line', at: 0 }, 0, [0.5, 0.5]);
    move(0.5, 0.3);
    pen.release();
    expect(editor.book.line[0]!.points[1]).toEqual([0.5, 0.3]);
    pen.split(at(0.4, 0.4), { sort: 'line', at: 0 });
    expect(editor.book.line[0]!.points).toHaveLength(4);
    pen.split(at(0.9, 0.9), { sort: 'line', at: 0 });
    expect(editor.book.line[0]!.points).toHaveLength(4);
  });

  it('grips nothing while another tool is taken up, nor with another button', () => {
    const { editor, pen, move, at } = given();
    editor.addInMiddle('line');
    pen.grab({ ...at(0.3, 0.5), button: 2 } as PointerEvent, { sort: 'line', at: 0 }, 0);
    editor.use('zone');
    pen.grab(at(0.3, 0.5), { sort: 'line', at: 0 }, 0);
    move(0.1, 0.1);
    expect(editor.book.line[0]!.points[0]).toEqual([0.3, 0.5]);
  });
});

describe('keys', () => {
  it('move a point a little, with Shift more, and take the key', () => {
    const { editor } = given();
    editor.addInMiddle('line');
    const left = key('ArrowLeft');
    nudgePoint(editor, left, { sort: 'line', at: 0 }, 0);
    nudgePoint(editor, key('ArrowDown', true), { sort: 'line', at: 0 }, 0);
    expect(editor.book.line[0]!.points[0]).toEqual([0.295, 0.525]);
    expect(left.preventDefault).toHaveBeenCalled();
  });

  it('delete a point of a zone, but leave it a zone', () => {
    const { editor } = given();
    editor.addInMiddle('zone');
    for (let at = 0; at < 3; at++) nudgePoint(editor, key('Delete'), { sort: 'zone', at: 0 }, 0);
    expect(editor.book.zone[0]!.points).toHaveLength(3);
    expect(editor.said).toBe('few_points');
  });

  it('leave alone what they mean nothing to', () => {
    const { editor } = given();
    editor.addInMiddle('zone');
    const tab = key('Tab');
    nudgeShape(editor, tab, { sort: 'zone', at: 0 });
    expect(tab.preventDefault).not.toHaveBeenCalled();
    nudgeShape(editor, key('Delete'), { sort: 'zone', at: 0 });
    expect(editor.book.zone).toEqual([]);
  });
});
