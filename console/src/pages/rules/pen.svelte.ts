// What a mouse, a finger or a stylus does on the stage: draws, drags, lets a line grow a point.
import type { Editor, Selection } from './editor.svelte.ts';
import { movedAll, nearestOnEdge, type Point, settled, snapped } from './geometry.ts';

const SNAP = 0.014;
const CLOSE = 0.025;
// A click that trembles is no drag.
const TREMBLE = 0.004;

interface Drag {
  selection: Selection;
  point: number | null;
  start: Point;
  points: readonly Point[];
  gesture: string;
  hasMoved: boolean;
}

/** What the pen needs to know of what it draws on. */
export interface Surface {
  aspect: () => number;
  box: () => { left: number; top: number; width: number; height: number };
  /** Have all that this pointer does told to the surface, wherever it goes. */
  capture: (pointerId: number) => void;
  onground: (point: Point) => void;
}

type Press = Pick<PointerEvent, 'button' | 'clientX' | 'clientY' | 'altKey' | 'shiftKey' | 'pointerId' | 'stopPropagation'>;
type Move = Pick<MouseEvent, 'clientX' | 'clientY' | 'altKey' | 'shiftKey'>;

export class Pen {
  /** Where the next point would go, while something is drawn. */
  hover = $state.raw<Point | null>(null);
  private drag: Drag | null = null;
  private directionDrag: { rule: number; end: 0 | 1; gesture: string } | null = null;
  private count = 0;

  constructor(
    private readonly editor: Editor,
    private readonly surface: Surface,
  ) {}

  get isDrawing(): boolean {
    return this.editor.tool === 'line' || this.editor.tool === 'zone';
  }

  /** On the bare picture. */
  press(event: Press): void {
    const { editor } = this;
    if (event.button !== 0) return;
    if (editor.tool === 'ground') return this.surface.onground(this.at(event));
    if (!this.isDrawing) return editor.select(null);
    const last = editor.draft.at(-1) ?? null;
    const point = this.aim(event, [], last);
    const first = editor.draft[0];
    if (editor.tool === 'zone' && first && editor.draft.length > 2 && this.isNear(first, point)) editor.finish();
    else if (last && this.isNear(last, point) && editor.draft.length > (editor.tool === 'line' ? 1 : 2)) editor.finish();
    else if (!last || !this.isNear(last, point)) editor.draw(point);
  }

  /** A shape, or one of its points. */
  grab(event: Press, selection: Selection, point: number | null): void {
    const { editor } = this;
    if (event.button !== 0 || editor.tool !== 'select') return;
    event.stopPropagation();
    if (editor.selection?.sort !== selection.sort || editor.selection.at !== selection.at) editor.select(selection);
    this.drag = { selection, point, start: this.at(event), points: this.pointsOf(selection), gesture: this.newGesture('drag'), hasMoved: false };
    this.surface.capture(event.pointerId);
  }

  /** A new point where the edge was gripped; the same drag moves it. */
  grow(event: Press, selection: Selection, after: number, middle: Point): void {
    if (event.button !== 0) return;
    event.stopPropagation();
    const points = withPoint(this.pointsOf(selection), after, middle);
    const gesture = this.newGesture('drag');
    this.editor.setPoints(selection, points, gesture);
    this.drag = { selection, point: after + 1, start: this.at(event), points, gesture, hasMoved: true };
    this.surface.capture(event.pointerId);
  }

  /** An end of a rule's right way. */
  grabDirection(event: Press, rule: number, end: 0 | 1): void {
    event.stopPropagation();
    this.directionDrag = { rule, end, gesture: this.newGesture('direction') };
    this.surface.capture(event.pointerId);
  }

  move(event: Move): void {
    if (this.directionDrag) return this.moveDirection(event);
    if (this.isDrawing) this.hover = this.aim(event, [], this.editor.draft.at(-1) ?? null);
    const { drag, editor } = this;
    if (!drag) return;
    const { selection, point, start, points, gesture } = drag;
    const now = this.at(event);
    if (!drag.hasMoved && Math.hypot(now[0] - start[0], now[1] - start[1]) < TREMBLE) return;
    drag.hasMoved = true;
    if (point === null) return editor.setPoints(selection, movedAll(points, now[0] - start[0], now[1] - start[1]), gesture);
    const neighbour = points[point - 1] ?? points[point + 1] ?? null;
    const aimed = this.aim(event, [...points], neighbour);
    editor.setPoints(selection, points.map((each, number) => (number === point ? aimed : each)), gesture);
  }

  release(): void {
    if (this.drag?.hasMoved) this.editor.settle(this.drag.selection);
    if (this.directionDrag) this.editor.settle(null);
    this.drag = null;
    this.directionDrag = null;
  }

  /** Twice on an edge: a new point there. */
  split(event: Move, selection: Selection): void {
    const points = this.pointsOf(selection);
    const found = nearestOnEdge(points, selection.sort === 'zone', this.at(event), this.surface.aspect());
    if (found && found.distance < CLOSE) this.editor.setPoints(selection, withPoint(points, found.after, found.point), '');
  }

  private moveDirection(event: Move): void {
    const { rule, end, gesture } = this.directionDrag!;
    const found = this.editor.book.rule[rule]?.direction;
    if (!found) return;
    const direction: [Point, Point] = [...found];
    direction[end] = this.at(event);
    this.editor.changeRule(rule, { direction }, gesture);
  }

  private pointsOf({ sort, at }: Selection): readonly Point[] {
    return this.editor.book[sort][at]!.points;
  }

  private newGesture(of: string): string {
    return `${of} ${++this.count}`;
  }

  private at(event: Move): Point {
    const box = this.surface.box();
    return settled([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  }

  /** Where the pointer is, drawn to what is near; Alt leaves it, Shift keeps to steps of 45° from `from`. */
  private aim(event: Move, without: readonly Point[], from: Point | null): Point {
    const raw = this.at(event);
    if (event.altKey) return raw;
    const { book } = this.editor;
    const others = [...book.line, ...book.zone].flatMap((place) => place.points).filter((point) => !without.includes(point));
    return snapped(raw, others, this.surface.aspect(), SNAP, event.shiftKey ? from : null).point;
  }

  private isNear(a: Point, b: Point): boolean {
    return Math.hypot((a[0] - b[0]) * this.surface.aspect(), a[1] - b[1]) < CLOSE;
  }
}

function withPoint(points: readonly Point[], after: number, point: Point): Point[] {
  return [...points.slice(0, after + 1), settled(point), ...points.slice(after + 1)];
}
