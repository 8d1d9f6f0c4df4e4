// The wall as it stands: which layout is shown, what was changed of it, which page, which tile is chosen.
import { randomKey } from '../../api/client.ts';
import { session } from '../../app/session.svelte.ts';
import { moved, type Size } from '../../media/arrange.ts';
import { ALL_CAMERAS, idOf, type Layout, MOST_LAYOUTS, pageOf, readLayouts, storedLayouts, TILES_A_PAGE, type TileSpot, withLayout } from './layouts.ts';

export const TOUR_S = 15;

/** Layouts are saved with the person's preferences, and follow them to every browser. */
export class Wall {
  /** The layout that is shown; `ALL_CAMERAS` is not saved: it is whatever may be watched. */
  layoutId = $state(ALL_CAMERAS);
  page = $state(0);
  chosen = $state('');
  isHeld = $state(false);
  isArranging = $state(false);
  isTouring = $state(false);
  watchable = $state.raw<string[]>([]);
  /** Changed and not saved; null where the layout is shown as it was saved. */
  private draft = $state.raw<TileSpot[] | null>(null);

  saved: Layout[] = $derived(readLayouts(session.preferences.layouts));
  layout: Layout | null = $derived(this.saved.find((each) => each.id === this.layoutId) ?? null);
  all: TileSpot[] = $derived(this.draft ?? this.layout?.tiles ?? this.watchable.map((camera) => ({ camera, size: 1 as Size })));
  shown = $derived(pageOf(this.all, this.page));
  isChanged = $derived(this.draft !== null);
  canTour = $derived(this.saved.length + 1 > 2 || this.shown.pages > 1 || this.saved.length > 0);
  isFull = $derived(this.saved.length >= MOST_LAYOUTS);

  show(id: string): void {
    this.layoutId = id;
    this.draft = null;
    this.page = 0;
  }

  /** The layout with that number, as the keys 1 to 9 have it: 1 is all cameras. */
  showNumber(number: number): void {
    if (number === 1) this.show(ALL_CAMERAS);
    else if (this.saved[number - 2]) this.show(this.saved[number - 2]!.id);
  }

  /** The next page, or the first one of the next layout. */
  tourOn(): void {
    if (this.shown.page + 1 < this.shown.pages) {
      this.page = this.shown.page + 1;
      return;
    }
    const ids = [ALL_CAMERAS, ...this.saved.map((each) => each.id)];
    this.show(ids[(ids.indexOf(this.layoutId) + 1) % ids.length]!);
  }

  move(from: number, to: number): void {
    const first = this.shown.page * TILES_A_PAGE;
    if (to >= 0 && to < this.shown.tiles.length) this.draft = moved(this.all, first + from, first + to);
  }

  resize(camera: string, size: Size): void {
    this.draft = this.all.map((spot) => (spot.camera === camera ? { ...spot, size } : spot));
  }

  takeOff(camera: string): void {
    this.draft = this.all.filter((spot) => spot.camera !== camera);
  }

  /** These cameras: those that were there keep their places. */
  choose(cameras: readonly string[]): void {
    const kept = this.all.filter((spot) => cameras.includes(spot.camera));
    const fresh = cameras.filter((camera) => !kept.some((spot) => spot.camera === camera));
    this.draft = [...kept, ...fresh.map((camera) => ({ camera, size: 1 as Size }))];
  }

  revert(): void {
    this.draft = null;
  }

  async saveAs(name: string): Promise<void> {
    const layout: Layout = { id: randomKey(), name: name.trim(), tiles: this.all };
    await session.prefer((now) => ({ layouts: [...storedLayouts(now.layouts), layout] }));
    this.show(layout.id);
  }

  async save(): Promise<void> {
    const [draft, tiles] = [this.draft, this.all];
    await this.change((layout) => ({ ...layout, tiles }));
    // What was moved while it was on its way is not saved.
    if (this.draft === draft) this.draft = null;
  }

  rename(name: string): Promise<void> {
    return this.change((layout) => ({ ...layout, name: name.trim() }));
  }

  async remove(): Promise<void> {
    const gone = this.layoutId;
    await session.prefer((now) => ({ layouts: storedLayouts(now.layouts).filter((each) => idOf(each) !== gone) }));
    this.show(ALL_CAMERAS);
  }

  private change(how: (layout: Layout) => Layout): Promise<void> {
    const known = this.layout;
    if (!known) return Promise.resolve();
    return session.prefer((now) => ({ layouts: withLayout(now.layouts, known, how) }));
  }
}
