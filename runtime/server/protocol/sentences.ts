const MOST_CHARACTERS = 60;
const MOST_NAMES = 8;
const MOST_DIMENSIONS = 8;

/** A caller's own word in a sentence: on one line and never long, whatever was sent. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > MOST_CHARACTERS ? `${word.slice(0, MOST_CHARACTERS)}…` : word);
}

/** "a", "b" and "c", or none; of many the first few and how many more. */
export function named(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.length > MOST_NAMES ? names.slice(0, MOST_NAMES - 1) : names;
  const words = shown.map(quoted);
  if (shown.length < names.length) words.push(`${names.length - shown.length} more`);
  return words.join(', ').replace(/, ([^,]*)$/, ' and $1');
}

export const shapeText = (shape: readonly unknown[]): string =>
  shape.length > MOST_DIMENSIONS ? `[${shape.slice(0, MOST_DIMENSIONS)},…]` : `[${shape}]`;
