// Times as people at the site read them: in its zone, 24 hours, whatever the zone of the browser.

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

export interface WallTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
}

export type Format = 'time' | 'time_s' | 'date' | 'date_long' | 'day' | 'date_time' | 'date_time_s' | 'hour_minute' | 'month';

const FORMATS: Record<Format, Intl.DateTimeFormatOptions> = {
  time: { hour: '2-digit', minute: '2-digit' },
  hour_minute: { hour: '2-digit', minute: '2-digit' },
  time_s: { hour: '2-digit', minute: '2-digit', second: '2-digit' },
  date: { year: 'numeric', month: 'short', day: '2-digit' },
  date_long: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  day: { weekday: 'short', month: 'short', day: '2-digit' },
  month: { year: 'numeric', month: 'long' },
  date_time: { year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit' },
  date_time_s: { year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' },
};

/** A moment: RFC 3339, or milliseconds since 1970. */
export type Moment = string | number | Date;

export function ms(moment: Moment): number {
  return typeof moment === 'number' ? moment : new Date(moment).getTime();
}

/** A moment as the API takes it. */
export function rfc3339(moment: Moment): string {
  return new Date(ms(moment)).toISOString();
}

/** Tells times in one zone and language, and knows how far the browser's clock is off the server's. */
export class SiteClock {
  private readonly formats = new Map<Format, Intl.DateTimeFormat>();
  private readonly parts: Intl.DateTimeFormat;
  private offsetMs = 0;

  constructor(
    readonly zone = 'UTC',
    readonly language = 'en',
    private readonly browserMs: () => number = Date.now,
  ) {
    this.parts = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The server said what time it is. */
  learn(serverTime: Moment): void {
    this.offsetMs = ms(serverTime) - this.browserMs();
  }

  /** How far the browser's clock is behind the server's, for the clock that takes over. */
  get behindMs(): number {
    return this.offsetMs;
  }

  /** Now, by the server's clock. */
  nowMs(): number {
    return this.browserMs() + this.offsetMs;
  }

  format(moment: Moment | null | undefined, as: Format = 'date_time'): string {
    if (moment === null || moment === undefined || moment === '') return '–';
    const at = ms(moment);
    if (!Number.isFinite(at)) return '–';
    let format = this.formats.get(as);
    if (!format) {
      format = new Intl.DateTimeFormat(this.language, { timeZone: this.zone, hourCycle: 'h23', ...FORMATS[as] });
      this.formats.set(as, format);
    }
    return format.format(at);
  }

  /** "3 minutes ago", "in 2 days"; the nearest unit that says enough. */
  relative(moment: Moment, nowMs = this.nowMs()): string {
    const seconds = (ms(moment) - nowMs) / 1000;
    const words = new Intl.RelativeTimeFormat(this.language, { numeric: 'auto' });
    const size = Math.abs(seconds);
    if (size < 45) return words.format(Math.round(seconds), 'second');
    if (size < 45 * MINUTE_S) return words.format(Math.round(seconds / MINUTE_S), 'minute');
    if (size < 22 * HOUR_S) return words.format(Math.round(seconds / HOUR_S), 'hour');
    if (size < 26 * DAY_S) return words.format(Math.round(seconds / DAY_S), 'day');
    if (size < 320 * DAY_S) return words.format(Math.round(seconds / (30.4 * DAY_S)), 'month');
    return words.format(Math.round(seconds / (365.25 * DAY_S)), 'year');
  }

  /** The short name of the zone at a moment: CET, GMT+1. */
  zoneName(moment: Moment = this.nowMs()): string {
    const parts = new Intl.DateTimeFormat(this.language, { timeZone: this.zone, timeZoneName: 'short' }).formatToParts(ms(moment));
    return parts.find((part) => part.type === 'timeZoneName')?.value ?? this.zone;
  }

  /** What the clock on the site's wall shows at a moment. */
  wall(moment: Moment): WallTime {
    const found: Record<string, number> = {};
    for (const part of this.parts.formatToParts(ms(moment))) found[part.type] = Number(part.value);
    return {
      year: found['year'] ?? 1970,
      month: found['month'] ?? 1,
      day: found['day'] ?? 1,
      hour: found['hour'] ?? 0,
      minute: found['minute'] ?? 0,
      second: found['second'] ?? 0,
    };
  }

  /**
   * The moment at which the site's wall clock shows that. An hour that comes twice is the first of the two; one that
   * never comes, as the clocks go forward, is as much later.
   */
  fromWall(wall: WallTime): number {
    const asUtc = utcMs(wall);
    const offsets = [asUtc - DAY_S * 1000, asUtc + DAY_S * 1000].map((at) => this.offsetAt(at));
    const candidates = offsets.map((offset) => asUtc - offset).sort((a, b) => a - b);
    return candidates.find((at) => utcMs(this.wall(at)) === asUtc) ?? candidates[1] ?? asUtc;
  }

  /** How far the zone is ahead of UTC at a moment, in milliseconds. */
  offsetAt(at: number): number {
    return utcMs(this.wall(at)) - Math.floor(at / 1000) * 1000;
  }

  /** Midnight at the site, `days` before or after the day of the moment. */
  startOfDay(moment: Moment, days = 0): number {
    const wall = this.wall(moment);
    return this.fromWall({ ...wall, day: wall.day + days, hour: 0, minute: 0, second: 0 });
  }

  /** As `<input type="datetime-local">` takes it, in the site's zone. */
  toInput(moment: Moment | null): string {
    if (moment === null || moment === '') return '';
    const wall = this.wall(moment);
    const two = (value: number): string => String(value).padStart(2, '0');
    return `${String(wall.year).padStart(4, '0')}-${two(wall.month)}-${two(wall.day)}T${two(wall.hour)}:${two(wall.minute)}:${two(wall.second)}`;
  }

  /** What such a field holds; null for what is no time. */
  fromInput(text: string): number | null {
    const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2}))?/.exec(text);
    if (!found) return null;
    const [year, month, day, hour, minute, second] = found.slice(1).map((part) => Number(part ?? 0));
    return this.fromWall({ year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second || 0 });
  }
}

function utcMs(wall: WallTime): number {
  return Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
}

/** "2 h 05 min", "45 s", "3 d 4 h": durations in the two largest units. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE_S) return `${whole} s`;
  if (whole < HOUR_S) return `${Math.floor(whole / MINUTE_S)} min ${pad(whole % MINUTE_S)} s`;
  if (whole < DAY_S) return `${Math.floor(whole / HOUR_S)} h ${pad(Math.floor((whole % HOUR_S) / MINUTE_S))} min`;
  return `${Math.floor(whole / DAY_S)} d ${Math.floor((whole % DAY_S) / HOUR_S)} h`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}

/** Bytes as people say them: "1.4 TB". */
export function bytes(count: number, language = 'en'): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, count)) / 3)));
  const value = count / 1000 ** step;
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 && step ? 1 : 0 }).format(value)} ${units[step]}`;
}
