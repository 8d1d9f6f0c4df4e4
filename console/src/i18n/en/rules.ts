// English of the page rules.
export const rules = {
  title: 'Rules',
} as const;
