import type { Gate } from '@slipway/crds';
import type { Prediction } from '@slipway/crds/contract';
import { type Evidence, type Judged, judgeGates } from '../gates/judge.ts';
import { randomFromDigest } from '../random.ts';

const refused = () => Promise.reject(new Error('this gate needs no such evidence'));

/** Evidence of predictions alone; a gate that asks for more than is given fails its test. */
export const evidenceOf = (predictions: readonly Prediction[], more: Partial<Evidence> = {}): Evidence => ({
  predictions: async () => predictions,
  rival: refused,
  reported: refused,
  served: refused,
  bytes: 0,
  files: 0,
  random: () => randomFromDigest('ab'.repeat(32)),
  elapsed: () => 0,
  ...more,
});

export async function judgeOne(
  gate: Gate,
  predictions: readonly Prediction[],
  more: Partial<Evidence> = {},
): Promise<Judged> {
  const [judged] = await judgeGates([gate], evidenceOf(predictions, more));
  if (!judged) throw new Error('no verdict');
  return judged;
}

/** `right` of `size` predictions are right; half of the examples are positive. */
export const binaryPredictions = (
  right: number,
  size: number,
  more: (id: number) => Partial<Prediction> = () => ({}),
) =>
  Array.from({ length: size }, (_, id): Prediction => {
    const label = id % 2;
    const isRight = id < right;
    const prediction = isRight ? label : 1 - label;
    return { id, label, prediction, score: isRight === (label === 1) ? 0.9 : 0.1, ...more(id) };
  });
