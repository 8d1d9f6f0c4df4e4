// English of the page privacy.
export const privacy = {
  title: 'Privacy',
} as const;
