// Which page the address names: typed routes, and the query as state that survives a reload and can be sent to a colleague.

const PATTERNS = {
  home: '/',
  'sign-in': '/sign-in',
  setup: '/setup',
  wall: '/wall',
  timeline: '/timeline',
  events: '/events',
  counts: '/counts',
  rules: '/rules/:camera?',
  cameras: '/cameras/:name?',
  devices: '/devices/:tab?',
  audits: '/audits/:id?',
  privacy: '/privacy',
  acts: '/acts',
  settings: '/settings/:tab?',
} as const;

export type RouteName = keyof typeof PATTERNS;
export type Params = Record<string, string>;

export interface Route {
  name: RouteName | 'lost';
  params: Params;
}

/** The route of a path; `lost` where no page is. */
export function match(path: string): Route {
  const parts = path.split('/').filter(Boolean);
  for (const [name, pattern] of Object.entries(PATTERNS)) {
    const params = matchOne(pattern.split('/').filter(Boolean), parts);
    if (params) return { name: name as RouteName, params };
  }
  return { name: 'lost', params: {} };
}

function matchOne(pattern: string[], parts: string[]): Params | null {
  if (parts.length > pattern.length) return null;
  const params: Params = {};
  for (const [at, want] of pattern.entries()) {
    const part = parts[at];
    if (want.startsWith(':')) {
      if (part !== undefined) params[want.replace(/[:?]/g, '')] = decode(part);
      else if (!want.endsWith('?')) return null;
    } else if (want !== part) return null;
  }
  return params;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export type QueryChange = Record<string, string | number | readonly string[] | null | undefined>;

/** The address of a page: `pathTo('rules', {camera: 'plaza'})`. */
export function pathTo(name: RouteName, params: Params = {}, query: QueryChange = {}): string {
  const path = PATTERNS[name]
    .split('/')
    .map((part) => (part.startsWith(':') ? encodeURIComponent(params[part.replace(/[:?]/g, '')] ?? '') : part))
    .join('/')
    .replace(/(.)\/$/, '$1');
  const text = changed(new URLSearchParams(), query).toString();
  return text ? `${path}?${text}` : path;
}

function changed(query: URLSearchParams, change: QueryChange): URLSearchParams {
  const made = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change)) {
    made.delete(name);
    if (value === null || value === undefined || value === '') continue;
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [String(value)]) made.append(name, each);
  }
  return made;
}

/** What the router needs of a browser. */
export interface Browser {
  location: { pathname: string; search: string; hash: string };
  history: { pushState: History['pushState']; replaceState: History['replaceState'] };
  addEventListener: (type: 'popstate', then: () => void) => void;
}

export class Router {
  path = $state('/');
  query = $state.raw(new URLSearchParams());
  route: Route = $derived(match(this.path));
  /**
   * A page with something unsaved is asked before another path is gone to; false stays. It may call `go` again later,
   * once the person has decided and it has let go.
   */
  mayLeave: ((address: string) => boolean) | null = null;

  constructor(private readonly browser: Browser) {
    this.read();
    browser.addEventListener('popstate', () => this.returned());
  }

  get name(): Route['name'] {
    return this.route.name;
  }

  get params(): Params {
    return this.route.params;
  }

  /** Go to an address of the console; `replace` leaves no step behind for the back button. */
  go(address: string, { replace = false } = {}): void {
    if (address.split(/[?#]/)[0] !== this.path && this.mayLeave?.(address) === false) return;
    this.browser.history[replace ? 'replaceState' : 'pushState'](null, '', address);
    this.read();
  }

  /** Change some parameters of the query and keep the others; null takes one out. */
  setQuery(change: QueryChange, { replace = true } = {}): void {
    const text = changed(this.query, change).toString();
    const address = text ? `${this.path}?${text}` : this.path;
    if (address !== this.browser.location.pathname + this.browser.location.search) this.go(address, { replace });
  }

  /** One parameter of the query, empty where it is not there. */
  get(name: string): string {
    return this.query.get(name) ?? '';
  }

  all(name: string): string[] {
    return this.query.getAll(name);
  }

  /** A secret after the `#`, taken out of the address in the same moment: it must not stay in the history. */
  takeFragment(name: string): string {
    const { pathname, search, hash } = this.browser.location;
    const value = new URLSearchParams(hash.slice(1)).get(name) ?? '';
    if (hash) this.browser.history.replaceState(null, '', pathname + search);
    return value;
  }

  /** Back or forward: the address has changed already, and is put back where the page stays. */
  private returned(): void {
    const { pathname, search } = this.browser.location;
    if (pathname !== this.path && this.mayLeave?.(pathname + search) === false) {
      const text = this.query.toString();
      this.browser.history.pushState(null, '', text ? `${this.path}?${text}` : this.path);
      return;
    }
    this.read();
  }

  private read(): void {
    const { pathname, search } = this.browser.location;
    this.path = pathname;
    if (this.query.toString() !== search.replace(/^\?/, '')) this.query = new URLSearchParams(search);
  }
}

/** Makes plain links of the console go without a reload; for a click handler on the document. */
export function followLink(router: Router, click: MouseEvent): void {
  if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey || click.altKey) return;
  const link = (click.target as Element | null)?.closest?.('a[href]');
  if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
  const url = new URL(link.href);
  if (url.origin !== location.origin || match(url.pathname).name === 'lost' || url.hash) return;
  click.preventDefault();
  router.go(url.pathname + url.search);
}
