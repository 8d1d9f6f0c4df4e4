// The hint about a password is no gate, but it must not praise what everybody tries first.
import { expect, it } from 'vitest';

import { strengthOf } from '../src/app/strength.ts';

it.each([
  ['short', 0],
  ['lamppost2026', 1],
  ['passwordpassword', 1],
  ['aaaaaaaaaaaaaaaa', 1],
  ['abcabcabcabcabc', 1],
  ['violet-kettle7', 2],
  ['kettle orchard violin 42', 3],
] as const)('%s is %i', (password, strength) => {
  expect(strengthOf(password)).toBe(strength);
});

it('counts nothing that the name says already', () => {
  expect(strengthOf('margarethe-2026', 'margarethe')).toBe(1);
});
