// German of the page timeline.
export const timeline = {
  title: 'Zeitachse',
} as const;
