// English of the page acts.
export const acts = {
  title: 'Acts',
} as const;
