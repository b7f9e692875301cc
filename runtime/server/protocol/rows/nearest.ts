import { closest, distance } from 'fastest-levenshtein';
import { quoted } from '../sentences.ts';

/** '; "distance" may be meant', where one of the names is near enough to be meant. */
export function nearest(name: string, names: readonly string[]): string {
  if (names.length === 0 || name.length > 256) return '';
  const found = closest(
    name.toLowerCase(),
    names.map((other) => other.toLowerCase()),
  );
  const meant = names.find((other) => other.toLowerCase() === found) as string;
  return distance(name.toLowerCase(), found) <= Math.max(2, meant.length / 3) ? `; ${quoted(meant)} may be meant` : '';
}
