// German of the page counts.
export const counts = {
  title: 'Zählungen',
} as const;
