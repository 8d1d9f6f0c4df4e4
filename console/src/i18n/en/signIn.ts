// English of the pages sign-in and set-up.
export const signIn = {
  title: 'Sign in',
} as const;
