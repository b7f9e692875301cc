/** One thing that happened, as it was seen from outside. */
export interface Moment {
  /** Milliseconds of the clock the answers are timed with. */
  readonly at: number;
  readonly what: string;
  /** What a user would type to see the same. */
  readonly see: string | undefined;
}

/** Records a moment and, in the demo, prints it. */
export type Tell = (what: string, see?: string) => void;

const COLUMNS = 80;
const MARGIN = 10;

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}

/** A moment in lines of at most 80 columns (a longer word stands alone): seconds since the start, then what to type. */
export function momentLines({ at, what, see }: Moment, start: number): string[] {
  const elapsed = `${((at - start) / 1000).toFixed(1).padStart(7)}s  `;
  const lines = wrap(what, COLUMNS - MARGIN).map((line, i) => (i === 0 ? elapsed : ' '.repeat(MARGIN)) + line);
  return see === undefined ? lines : [...lines, `${' '.repeat(MARGIN)}$ ${see}`];
}

/** A Tell that hands each moment on as it comes. */
export const teller =
  (keep: (moment: Moment) => void): Tell =>
  (what, see) =>
    keep({ at: Date.now(), what, see });
