// How hard a password is to guess, roughly: a hint while it is typed, no gate. The server decides what it takes.

export type Strength = 0 | 1 | 2 | 3;

export const LEAST = 12;
const LONG = 18;
const COMMON = ['lamppost', 'password', 'passwort', 'qwert', 'asdf', '12345', 'admin', 'welcome', 'letmein', 'camera', 'kamera'];

/** 0 too short, 1 easy to guess, 2 good, 3 very good. */
export function strengthOf(password: string, name = ''): Strength {
  if ([...password].length < LEAST) return 0;
  let rest = password.toLowerCase();
  // What everybody tries first adds nothing, and nor does what is typed twice.
  for (const word of [...COMMON, name.toLowerCase()]) if (word.length > 2) rest = rest.replaceAll(word, '');
  rest = rest.replace(/(.{1,4})\1+/g, '$1');
  const distinct = new Set(rest).size;
  if (rest.length < LEAST - 2 || distinct < 6) return 1;
  return rest.length >= LONG && distinct >= 9 ? 3 : 2;
}
