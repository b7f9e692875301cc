import { COLUMNS, wrap } from '@slipway/operator/cli/render/text.ts';

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

const MARGIN = 10;

/** A moment in lines of at most 80 columns: seconds since the start, then what to type. */
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
