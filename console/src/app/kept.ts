// What this browser keeps of a person's choices. It may forbid storage; then nothing is kept, and all else works.

export function kept(name: string): string {
  try {
    return localStorage.getItem(name) ?? '';
  } catch {
    return ''; // nothing is kept
  }
}

export function keep(name: string, value: string): void {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // The same.
  }
}
