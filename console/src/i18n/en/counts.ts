// English of the page counts.
export const counts = {
  title: 'Counts',
} as const;
