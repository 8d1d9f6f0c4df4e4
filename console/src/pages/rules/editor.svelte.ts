// The rules of one camera while they are edited: what is drawn, what is selected, what can be undone, what is wrong.
import { api, isAborted, type Mistake, Problem, toProblem } from '../../api/client.ts';
import type { Rules } from '../../api/types.ts';
import { type Book, EMPTY, isSame, type PlaceSort, readBook, type RuleType, newRule, withoutPlace, withPlace, withPlaceChanged, withRule, withRuleChanged, writeBook } from './book.ts';
import { mistakeOf, type Point, settled, type ShapeMistake } from './geometry.ts';
import { begin, change, type History, redo, rest, undo } from './history.ts';

export type Tool = 'select' | PlaceSort | 'ground';
export interface Selection {
  sort: PlaceSort;
  at: number;
}

const CHECK_MS = 350;
const MIDDLE: Record<PlaceSort, Point[]> = {
  line: [
    [0.3, 0.5],
    [0.7, 0.5],
  ],
  zone: [
    [0.35, 0.35],
    [0.65, 0.35],
    [0.65, 0.7],
    [0.35, 0.7],
  ],
};

export class Editor {
  history = $state.raw<History<Book>>(begin(EMPTY));
  saved = $state.raw<Book>(EMPTY);
  etag = $state('');
  file = $state<string | null>(null);
  fileProblem = $state('');
  isThere = $state(false);
  problem = $state.raw<Problem | null>(null);
  mistakes = $state.raw<readonly Mistake[]>([]);
  tool = $state<Tool>('select');
  selection = $state.raw<Selection | null>(null);
  /** The rule that is open at the side, by its number. */
  rule = $state<number | null>(null);
  /** What is being drawn. */
  draft = $state.raw<readonly Point[]>([]);
  said = $state<ShapeMistake | 'crossing_draft' | null>(null);
  isSaving = $state(false);
  hasConflict = $state(false);
  private checking: AbortController | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly camera: string) {}

  get book(): Book {
    return this.history.now;
  }

  get isChanged(): boolean {
    return !isSame(this.history.now, this.saved);
  }

  private get path(): string {
    return `/cameras/${encodeURIComponent(this.camera)}/rules`;
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      const { value, etag } = await api.getTagged<Rules>(this.path);
      this.take(value, value.etag ?? etag);
    } catch (error) {
      this.problem = toProblem(error);
    }
  }

  private take(told: Rules, etag: string): void {
    this.saved = readBook(told.rules);
    this.history = begin(this.saved);
    this.etag = etag;
    this.file = told.file;
    this.fileProblem = told.problem ?? '';
    this.isThere = true;
    this.mistakes = [];
    this.selection = null;
    this.rule = null;
  }

  /** A change; those of one `gesture` are undone as one. */
  change(book: Book, gesture = ''): void {
    this.history = change(this.history, book, gesture);
    this.checkSoon();
  }

  /** A drag is over. What may not be is taken back, and said. */
  settle(selection: Selection | null): void {
    const place = selection && this.book[selection.sort][selection.at];
    const mistake = place ? mistakeOf(place.points, selection.sort === 'zone') : null;
    this.history = mistake ? undo(this.history) : rest(this.history);
    this.said = mistake;
    if (mistake) this.checkSoon();
  }

  undo(): void {
    this.history = undo(this.history);
    this.keepSelection();
    this.checkSoon();
  }

  redo(): void {
    this.history = redo(this.history);
    this.keepSelection();
    this.checkSoon();
  }

  private keepSelection(): void {
    if (this.selection && !this.book[this.selection.sort][this.selection.at]) this.selection = null;
    if (this.rule !== null && !this.book.rule[this.rule]) this.rule = null;
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    this.rule = null;
    this.said = null;
  }

  use(tool: Tool): void {
    this.tool = tool;
    this.draft = [];
    this.said = null;
    if (tool === 'line' || tool === 'zone') this.select(null);
  }

  setPoints(selection: Selection, points: readonly Point[], gesture: string): void {
    this.change(withPlaceChanged(this.book, selection.sort, selection.at, { points: points.map(settled) }), gesture);
  }

  /** One more point of what is being drawn. */
  draw(point: Point): void {
    this.draft = [...this.draft, settled(point)];
    this.said = null;
  }

  /** End the drawing; false where it cannot be a line or zone yet, and why is said. */
  finish(): boolean {
    if (this.tool !== 'line' && this.tool !== 'zone') return false;
    const mistake = mistakeOf(this.draft, this.tool === 'zone');
    if (mistake) {
      this.said = mistake === 'crossing' ? 'crossing_draft' : mistake;
      return false;
    }
    this.add(this.tool, this.draft);
    return true;
  }

  /** A shape to begin with, for whoever draws by keyboard. */
  addInMiddle(sort: PlaceSort): void {
    this.add(sort, MIDDLE[sort]);
  }

  private add(sort: PlaceSort, points: readonly Point[]): void {
    this.change(withPlace(this.book, sort, points));
    this.use('select');
    this.select({ sort, at: this.book[sort].length - 1 });
  }

  removeSelected(): void {
    if (!this.selection) return;
    this.change(withoutPlace(this.book, this.selection.sort, this.selection.at));
    this.select(null);
  }

  addRule(type: RuleType, place: string): void {
    this.change(withRule(this.book, newRule(this.book, type, place)));
    this.rule = this.book.rule.length - 1;
  }

  changeRule(at: number, what: Parameters<typeof withRuleChanged>[2], gesture = ''): void {
    this.change(withRuleChanged(this.book, at, what), gesture);
  }

  private checkSoon(): void {
    clearTimeout(this.timer);
    this.checking?.abort();
    this.timer = setTimeout(() => void this.check(), CHECK_MS);
  }

  private async check(): Promise<void> {
    const giveUp = new AbortController();
    this.checking = giveUp;
    try {
      const { errors } = await api.post<{ errors: Mistake[] }>(`${this.path}/check`, { rules: writeBook(this.book) }, { signal: giveUp.signal });
      this.mistakes = errors;
    } catch (error) {
      // Saving checks once more; the banner says meanwhile that the server is away.
      if (!isAborted(error) && toProblem(error).errors.length) this.mistakes = toProblem(error).errors;
    }
  }

  /** Save; true when it is done. A conflict opens its dialog. */
  async save(etag = this.etag): Promise<boolean> {
    this.isSaving = true;
    this.problem = null;
    try {
      const sent = this.book;
      const told = await api.put<Rules>(this.path, { rules: writeBook(sent) }, { ifMatch: etag });
      const { selection, rule, history, mistakes } = this;
      this.take(told, told.etag ?? '');
      if (!this.etag) await this.load();
      if (history.now !== sent) {
        // Something was drawn meanwhile: it stays, and is what is not saved now.
        this.saved = sent;
        this.history = history;
        this.mistakes = mistakes;
      }
      this.selection = selection;
      this.rule = rule;
      this.keepSelection();
      return true;
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status === 412) this.hasConflict = true;
      else this.problem = problem;
      if (problem.errors.length) this.mistakes = problem.errors;
      return false;
    } finally {
      this.isSaving = false;
    }
  }

  /** Replace what somebody else saved meanwhile: with its tag, as one who has seen it. */
  async saveOver(): Promise<boolean> {
    this.hasConflict = false;
    try {
      const { value, etag } = await api.getTagged<Rules>(this.path);
      return await this.save(value.etag ?? etag);
    } catch (error) {
      this.problem = toProblem(error);
      return false;
    }
  }

  async takeTheirs(): Promise<void> {
    this.hasConflict = false;
    await this.load();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.checking?.abort();
  }
}
