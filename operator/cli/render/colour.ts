const CODES = { green: 32, yellow: 33, red: 31 } as const;
const WORDS: Readonly<Record<string, keyof typeof CODES>> = {
  Pass: 'green',
  True: 'green',
  Succeeded: 'green',
  Complete: 'green',
  NeedMore: 'yellow',
  Blind: 'yellow',
  SharedFault: 'yellow',
  Unknown: 'yellow',
  Pending: 'yellow',
  Fail: 'red',
  Failed: 'red',
  False: 'red',
  RolledBack: 'red',
};
const PATTERN = new RegExp(`\\b(${Object.keys(WORDS).join('|')})\\b`, 'g');

/** Colours verdict words. Done after layout, so that escape codes never count as columns. */
export const paint = (line: string): string =>
  line.replace(PATTERN, (word) => `\u001b[${CODES[WORDS[word] ?? 'yellow']}m${word}\u001b[0m`);

/** Colour only for a person at a terminal who has not refused it (no-color.org). */
export const wantsColour = (isTty: boolean, noColor: string | undefined): boolean =>
  isTty && (noColor === undefined || noColor === '');
