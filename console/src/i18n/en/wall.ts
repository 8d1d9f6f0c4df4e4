// English of the page wall.
export const wall = {
  title: 'Wall',
} as const;
