// The colours of the page for what is painted and not styled: a token may depend on the theme, and a canvas knows none.

/** Reads tokens, such as `--text`, as colours that a canvas takes. */
export function colours<Token extends string>(tokens: readonly Token[]): Record<Token, string> {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const found = {} as Record<Token, string>;
  for (const token of tokens) {
    probe.style.color = `var(${token})`;
    found[token] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}
