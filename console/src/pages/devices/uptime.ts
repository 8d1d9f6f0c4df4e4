// Shares of a report, as people read them.

/** Never rounded up to 100 %: one who reads it would believe that nothing was missing. */
export function percent(share: number | null): string | null {
  if (share === null) return null;
  const hundredths = Math.floor(share * 10_000) / 100;
  return `${hundredths.toFixed(hundredths === 100 ? 0 : 2)} %`;
}

/** The longest first, without those that took no time. */
export function causesOf(byCause: Record<string, number>): [string, number][] {
  return Object.entries(byCause).filter(([, seconds]) => seconds > 0).sort((one, other) => other[1] - one[1]);
}
