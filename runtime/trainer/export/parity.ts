import * as ort from 'onnxruntime-node';

/** Numbers of one named input, row major; codes as INT64. */
export type Feeds = Readonly<Record<string, ort.Tensor>>;

/** Runs the exported model over the feeds and returns its first output, row major. */
export async function runExported(model: Uint8Array, feeds: Feeds): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  try {
    const [name = ''] = session.outputNames;
    const output = (await session.run({ ...feeds }))[name];
    if (!(output?.data instanceof Float32Array)) throw new Error(`output ${name} of the exported model is not FP32`);
    return output.data;
  } finally {
    await session.release();
  }
}

/** Largest absolute difference, infinite when the lengths differ or a number is missing on either side. */
export function largestDifference(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  if (expected.length !== actual.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((expected[i] ?? Number.NaN) - (actual[i] ?? Number.NaN));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}
