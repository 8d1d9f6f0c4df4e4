// German of the page acts.
export const acts = {
  title: 'Handlungen',
} as const;
