// German of the pages sign-in and set-up.
export const signIn = {
  title: 'Anmelden',
} as const;
