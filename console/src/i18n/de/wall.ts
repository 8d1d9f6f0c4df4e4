// German of the page wall.
export const wall = {
  title: 'Wand',
} as const;
