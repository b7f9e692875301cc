import { FILES, type Golden, type Signature } from '@slipway/crds/contract';
import { Failure, sentenceOf } from '../../artifact/failure.ts';
import { orderInputs, shapesOf } from '../protocol/tensorHeader.ts';
import { sizeOf, type TensorValue } from '../tensor.ts';
import { elementsOf, numbersOf } from './plainElements.ts';

type GoldenTensor = Golden['outputs'][number];
export type Run = (inputs: readonly TensorValue[], outputs: readonly string[]) => Promise<readonly TensorValue[]>;

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
  const unknown = names.find((name) => !signature.outputs.some((output) => output.name === name));
  if (unknown !== undefined) return `there is no output "${unknown}".`;
  const answers = await run(goldenInputs(golden, signature), names);
  for (const [index, expected] of golden.outputs.entries()) {
    const fault = differenceOf(expected, answers[index] as TensorValue, golden.tolerance);
    if (fault) return `output "${expected.name}" ${fault}.`;
  }
  return undefined;
}

/** The inputs of a golden request in the order of the signature. Throws RequestError for what no caller could send either. */
export function goldenInputs({ inputs }: Golden, signature: Signature): readonly TensorValue[] {
  const taker = { signature, scheduler: { batchable: false } };
  const positions = orderInputs(inputs, taker);
  const shapes = shapesOf(inputs, positions, taker, Number.MAX_SAFE_INTEGER);
  const values = new Array<TensorValue>(inputs.length);
  for (const [i, { name, datatype, data }] of inputs.entries()) {
    const position = positions[i] as number;
    const shape = shapes[position] as readonly number[];
    if (data.length !== sizeOf(shape)) {
      throw new Error(`input "${name}" has ${data.length} elements, its shape [${shape}] means ${sizeOf(shape)}.`);
    }
    values[position] = { name, datatype, shape, elements: elementsOf(datatype, data) };
  }
  return values;
}

/**
 * The first difference between an expected tensor and an answer, or undefined. Floats may differ by
 * tolerance · (1 + |expected|), absolute and relative at once; everything else must be the same.
 */
export function differenceOf(expected: GoldenTensor, answer: TensorValue, tolerance: number): string | undefined {
  const shapes = [expected, answer].map(({ datatype, shape }) => `${datatype}[${shape}]`);
  if (shapes[0] !== shapes[1]) return `is ${shapes[1]}, expected ${shapes[0]}`;
  const actual = numbersOf(answer);
  if (expected.data.length !== actual.length) return `has ${actual.length} elements, expected ${expected.data.length}`;
  const same = FLOATS.has(answer.datatype) ? close(tolerance) : equal;
  const index = expected.data.findIndex((value, i) => !same(value, actual[i]));
  if (index < 0) return undefined;
  return `element ${index} is ${actual[index]}, expected ${expected.data[index]} (tolerance ${tolerance})`;
}

const FLOATS: ReadonlySet<string> = new Set(['FP16', 'BF16', 'FP32', 'FP64']);

const close =
  (tolerance: number) =>
  (expected: unknown, actual: unknown): boolean =>
    Object.is(Number(actual), Number(expected)) || // NaN and infinities
    Math.abs(Number(actual) - Number(expected)) <= tolerance * (1 + Math.abs(Number(expected)));

/** BOOL elements are 0 or 1 and 64-bit integers bigint, where the file holds true or 17. */
const equal = (expected: unknown, actual: unknown): boolean =>
  String(typeof expected === 'boolean' ? Number(expected) : expected) === String(actual);
