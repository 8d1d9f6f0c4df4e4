// German of the page events.
export const events = {
  title: 'Ereignisse',
} as const;
