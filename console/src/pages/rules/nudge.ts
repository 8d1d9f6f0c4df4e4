// What keys do to what is focused on the stage: arrows move it a little, with Shift more; Delete takes it away.
import type { Editor, Selection } from './editor.svelte.ts';
import { moved, movedAll, type Point } from './geometry.ts';

const STEP = 0.005;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

type Key = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'preventDefault' | 'stopPropagation'>;

function stepOf({ key, shiftKey }: Key): readonly [number, number] | null {
  const arrow = ARROWS[key];
  const size = shiftKey ? STEP * 5 : STEP;
  return arrow ? [arrow[0] * size, arrow[1] * size] : null;
}

const isDelete = ({ key }: Key): boolean => key === 'Delete' || key === 'Backspace';

function taken(event: Key): void {
  event.preventDefault();
  event.stopPropagation();
}

/** One point. Not taken back while keys go on: the way to a good shape may lead through a crossed one; the server says what is wrong. */
export function nudgePoint(editor: Editor, event: Key, selection: Selection, number: number): void {
  const { points } = editor.book[selection.sort][selection.at]!;
  const least = selection.sort === 'zone' ? 3 : 2;
  const step = stepOf(event);
  if (step) editor.setPoints(selection, points.map((each, at) => (at === number ? moved(each, ...step) : each)), `keys ${selection.sort} ${selection.at} ${number}`);
  else if (isDelete(event) && points.length > least) editor.setPoints(selection, points.filter((_, at) => at !== number), '');
  else if (isDelete(event)) editor.said = 'few_points';
  else return;
  taken(event);
}

/** A whole line or zone. */
export function nudgeShape(editor: Editor, event: Key, selection: Selection): void {
  const step = stepOf(event);
  if (event.key === 'Enter' || event.key === ' ') editor.select(selection);
  else if (step) {
    const { points } = editor.book[selection.sort][selection.at]!;
    editor.select(selection);
    editor.setPoints(selection, movedAll(points, ...step), `keys ${selection.sort} ${selection.at}`);
  } else if (isDelete(event)) {
    editor.select(selection);
    editor.removeSelected();
  } else return;
  taken(event);
}

/** An end of a rule's right way. */
export function nudgeDirection(editor: Editor, event: Key, rule: number, end: 0 | 1): void {
  const step = stepOf(event);
  const found = editor.book.rule[rule]?.direction;
  if (!step || !found) return;
  event.preventDefault();
  const direction: [Point, Point] = [...found];
  direction[end] = moved(direction[end], ...step);
  editor.changeRule(rule, { direction }, `keys direction ${rule} ${end}`);
}
