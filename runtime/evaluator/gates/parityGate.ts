import type { Gate } from '@slipway/crds';
import { FILES } from '@slipway/crds/contract';
import { Failure } from '../../artifact/failure.ts';
import { goldenInputs } from '../../server/models/golden.ts';
import { numbersOf } from '../../server/models/plainElements.ts';
import type { OpenModel } from './servedModel.ts';
import { comparison, type Finding, verdictOf } from './verdict.ts';

export type ParityGate = Gate & { readonly parity: NonNullable<Gate['parity']> };

interface Deviation {
  /** |answer − expected| / (1 + |expected|): absolute near 0, relative far from it. */
  scaled: number;
  absolute: number;
  relative: number;
  values: number;
  where: string;
}

/**
 * How far the exported model's answers lie from those that the training framework gave to golden.jsonl. Every value of
 * every answer is compared, so there is no interval. Throws Failure EvaluationInvalid without golden requests.
 */
export async function judgeParity({ name, parity }: ParityGate, model: OpenModel): Promise<Finding> {
  const { golden } = model.files;
  if (golden.length === 0) {
    throw new Failure(
      'EvaluationInvalid',
      `Gate ${name} needs ${FILES.golden}, which the artifact lacks: write requests with the trained model's answers to it.`,
    );
  }
  const limit = Number(parity.tolerance);
  const largest = await largestDeviation(model);
  const { scaled: value, absolute, relative, values, where } = largest;
  const verdict = verdictOf({ low: value, high: value }, limit, 'max');
  const message = `answers to ${counted(golden.length, 'golden request')} deviate by ${digits(absolute)} (absolute) and ${digits(relative)} (relative) at most; ${digits(value)} of 1 + |expected| in ${where}, over ${counted(values, 'value')}, ${comparison(verdict, 'max', parity.tolerance)}`;
  return {
    verdict,
    value,
    low: value,
    high: value,
    limit,
    n: values,
    message,
    method: 'every value compared',
    facts: { ...largest },
  };
}

async function largestDeviation({ files, signature, run }: OpenModel): Promise<Deviation> {
  const largest: Deviation = { scaled: 0, absolute: 0, relative: 0, values: 0, where: 'any output' };
  for (const [request, golden] of files.golden.entries()) {
    const names = golden.outputs.map((output) => output.name);
    const answers = await run(goldenInputs(golden, signature), names);
    for (const [i, expected] of golden.outputs.entries()) {
      const actual = answers[i];
      if (!actual) continue;
      note(largest, expected.data, numbersOf(actual), `output "${expected.name}" of request ${request + 1}`);
    }
  }
  return largest;
}

function note(largest: Deviation, expected: readonly unknown[], actual: ArrayLike<unknown>, where: string): void {
  for (const [i, wanted] of expected.entries()) {
    const { scaled, absolute, relative } = deviation(wanted, actual[i]);
    largest.values += 1;
    largest.absolute = Math.max(largest.absolute, absolute);
    largest.relative = Math.max(largest.relative, relative);
    if (scaled <= largest.scaled) continue;
    largest.scaled = scaled;
    largest.where = where;
  }
}

/** Texts and booleans are the same or as far apart as can be. */
function deviation(expected: unknown, actual: unknown): Pick<Deviation, 'scaled' | 'absolute' | 'relative'> {
  if (typeof expected !== 'number') {
    const isSame = String(typeof expected === 'boolean' ? Number(expected) : expected) === String(actual);
    const apart = isSame ? 0 : 1;
    return { scaled: apart, absolute: apart, relative: apart };
  }
  const answer = Number(actual);
  if (Object.is(answer, expected)) return { scaled: 0, absolute: 0, relative: 0 };
  const absolute =
    Number.isFinite(answer) && Number.isFinite(expected) ? Math.abs(answer - expected) : Number.MAX_VALUE;
  return {
    scaled: absolute / (1 + Math.abs(expected)),
    absolute,
    relative: expected === 0 ? 0 : absolute / Math.abs(expected),
  };
}

const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
const digits = (value: number): string => Number(value.toPrecision(3)).toString();
