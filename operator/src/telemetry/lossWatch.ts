/** Looks that the median is taken over. */
const LOOKS = 32;
/** Looks before which no loss counts as a spike: the first steps of a training jump about. */
const FEWEST_LOOKS = 5;
/** A loss above so many times the median of the looks before it is a spike. */
const SPIKE = 3;

const LOSS = /(^|[_/. -])loss$/i;

/** The metric that is the training loss: `loss`, else the first by name that ends in it and is none of an evaluation. */
export function lossOf(metrics: Readonly<Record<string, string>> | undefined): number | undefined {
  const names = Object.keys(metrics ?? {}).filter((name) => LOSS.test(name) && !/eval|val|test/i.test(name));
  const name = names.includes('loss') ? 'loss' : names.sort()[0];
  return name === undefined ? undefined : Number(metrics?.[name]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

/** Remembers the losses of one attempt, and says whether the last of them is a spike. */
export class LossWatch {
  readonly #losses: number[] = [];

  /** A loss that is no number is told as that, and is no spike. */
  sees(loss: number): boolean {
    if (!Number.isFinite(loss)) return false;
    const before = [...this.#losses];
    this.#losses.push(loss);
    if (this.#losses.length > LOOKS) this.#losses.shift();
    const usual = median(before);
    return before.length >= FEWEST_LOOKS && usual > 0 && loss > SPIKE * usual;
  }
}
