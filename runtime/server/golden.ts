import { FILES, type Golden, type Signature } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../artifact/failure.ts';
import type { TensorValue } from './engine.ts';
import { parseInputs } from './inferRequest.ts';

type GoldenTensor = Golden['outputs'][number];
type Run = (inputs: readonly TensorValue[], outputs: readonly string[]) => Promise<readonly TensorValue[]>;

/**
 * Replays every golden request and compares the answers, so that a model that computes something else here than where
 * it was trained never becomes ready. Throws Failure GoldenMismatch with the first difference.
 */
export async function replayGolden(golden: readonly Golden[], signature: Signature, run: Run): Promise<void> {
  for (const [index, request] of golden.entries()) {
    const fault = await faultOf(request, signature, run).catch(sentenceOf);
    if (fault) throw new Failure('GoldenMismatch', `Request ${index + 1} of ${FILES.golden}: ${fault}`);
  }
}

async function faultOf(golden: Golden, signature: Signature, run: Run): Promise<string | undefined> {
  const names = golden.outputs.map(({ name }) => name);
  const answers = await run(parseInputs(golden.inputs, signature), names);
  for (const expected of golden.outputs) {
    const answer = answers.find(({ name }) => name === expected.name);
    const fault = answer ? differenceOf(expected, answer, golden.tolerance) : 'is missing';
    if (fault) return `output "${expected.name}" ${fault}.`;
  }
  return undefined;
}

/**
 * The first difference between an expected tensor and an answer, or undefined. Floats may differ by
 * tolerance · (1 + |expected|), absolute and relative at once; everything else must be the same.
 */
export function differenceOf(expected: GoldenTensor, answer: TensorValue, tolerance: number): string | undefined {
  const shapes = [expected, answer].map(({ datatype, shape }) => `${datatype}[${shape}]`);
  if (shapes[0] !== shapes[1]) return `is ${shapes[1]}, expected ${shapes[0]}`;
  if (expected.data.length !== answer.elements.length)
    return `has ${answer.elements.length} elements, expected ${expected.data.length}`;
  const same = answer.datatype === 'FP32' || answer.datatype === 'FP64' ? close(tolerance) : equal;
  const index = expected.data.findIndex((value, i) => !same(value, answer.elements[i]));
  if (index < 0) return undefined;
  return `element ${index} is ${answer.elements[index]}, expected ${expected.data[index]} (tolerance ${tolerance})`;
}

const close =
  (tolerance: number) =>
  (expected: unknown, actual: unknown): boolean =>
    Object.is(Number(actual), Number(expected)) || // NaN and infinities
    Math.abs(Number(actual) - Number(expected)) <= tolerance * (1 + Math.abs(Number(expected)));

/** BOOL elements are 0 or 1 and 64-bit integers bigint, where the file holds true or 17. */
const equal = (expected: unknown, actual: unknown): boolean =>
  String(typeof expected === 'boolean' ? Number(expected) : expected) === String(actual);
