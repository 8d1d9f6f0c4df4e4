// German of the page privacy.
export const privacy = {
  title: 'Datenschutz',
} as const;
