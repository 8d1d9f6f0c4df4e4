// English of the page events.
export const events = {
  title: 'Events',
} as const;
