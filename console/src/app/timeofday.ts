// A time of day as people type it.

/** `9:5`, `905`, `9.05`, `09:05:30` as `hh:mm:ss`, midnight for nothing; null for what is no time of day. */
export function timeOfDay(text: string): string | null {
  const typed = text.trim() || '0';
  const digits = /^\d+$/.test(typed) && typed.length > 2 ? typed.padStart(typed.length + (typed.length % 2), '0').match(/../g) : null;
  const parts = digits ?? typed.split(/[:.]/);
  if (parts.length > 3 || parts.some((part) => !/^\d{1,2}$/.test(part))) return null;
  const [hour = 0, minute = 0, second = 0] = parts.map(Number);
  if (hour > 23 || minute > 59 || second > 59) return null;
  return [hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':');
}
