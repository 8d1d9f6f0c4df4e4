// Shares of a report, as people read them.
import { duration } from '../../app/clock.ts';

/** Never rounded up to 100 %: one who reads it would believe that nothing was missing. */
export function percent(share: number | null, inLanguage = 'en'): string | null {
  if (share === null) return null;
  const hundredths = Math.floor(share * 10_000) / 100;
  const figures = hundredths === 100 ? 0 : 2;
  return `${new Intl.NumberFormat(inLanguage, { minimumFractionDigits: figures, maximumFractionDigits: figures }).format(hundredths)} %`;
}

/** The longest first, without those that took no time. */
export function causesOf(byCause: Record<string, number>): [string, number][] {
  return Object.entries(byCause).filter(([, seconds]) => seconds > 0).sort((one, other) => other[1] - one[1]);
}

/** A moment that was missed is no 0 s. */
export const missed = (seconds: number): string => (seconds > 0 && seconds < 1 ? '< 1 s' : duration(seconds));
