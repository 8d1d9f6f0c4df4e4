// English of the page timeline.
export const timeline = {
  title: 'Timeline',
} as const;
