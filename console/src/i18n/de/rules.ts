// German of the page rules.
export const rules = {
  title: 'Regeln',
} as const;
