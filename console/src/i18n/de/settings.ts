// German of the page settings.
export const settings = {
  title: 'Einstellungen',
} as const;
