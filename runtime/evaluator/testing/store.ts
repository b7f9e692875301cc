import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Gate, ModelVersionSpec } from '@slipway/crds';
import { modelVersionSpecSchema } from '@slipway/crds';
import type { Prediction, Rival } from '@slipway/crds/contract';
import { hashArtifact } from '../../artifact/hash.ts';
import { encodeModel } from '../../onnx/model.ts';
import { affine } from '../../test/artifacts.ts';
import { randomFromDigest } from '../random.ts';
import { CALIBRATED, draw } from '../simulation/worlds.ts';
import type { Verification } from '../verify.ts';

export const GOLDEN = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 1] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 1], data: [-0.5] }],
};

const CARRIERS = ['AA', 'DL', 'UA'];

/** Held-out answers of a sound classifier, with slice columns. */
export const soundPredictions = (size = 600, seed = '5e'): Prediction[] =>
  draw(CALIBRATED, size, randomFromDigest(seed.repeat(32))).map((one, i) => ({
    ...one,
    slice: { weekend: i % 7 < 2 ? 1 : 0, carrier: CARRIERS[i % CARRIERS.length] as string, distance: (i * 37) % 900 },
  }));

export const lines = (documents: readonly unknown[]): string =>
  documents.map((one) => `${JSON.stringify(one)}\n`).join('');

/** Puts an artifact into the claim `models` below `claims`, and returns its digest. */
export async function putArtifact(
  claims: string,
  folder: string,
  predictions: readonly Prediction[] | undefined,
  more: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const root = join(claims, 'models', folder);
  const files = {
    'model.onnx': encodeModel(affine),
    'golden.jsonl': lines([GOLDEN]),
    ...(predictions === undefined ? {} : { 'evaluation/predictions.jsonl': lines(predictions) }),
    ...more,
  };
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  return (await hashArtifact(root)).digest;
}

export const specOf = (folder: string, digest: string, more: object = {}): ModelVersionSpec =>
  modelVersionSpecSchema.parse({
    model: 'flights',
    version: '1.4.0',
    artifact: { uri: `pvc://models/${folder}`, digest },
    ...more,
  });

export const rivalOf = (folder: string, digest: string): Rival => ({
  as: ['Production', '1.3.0'],
  name: 'flights-1.3.0',
  version: '1.3.0',
  digest,
  uri: `pvc://models/${folder}`,
});

export const orderOf = (
  claims: string,
  spec: ModelVersionSpec,
  gates: readonly Gate[],
  rivals: readonly Rival[] = [],
  say: (line: string) => void = () => undefined,
): Verification => ({
  artifact: { uri: spec.artifact.uri },
  digest: spec.artifact.digest,
  gates,
  rivals,
  spec,
  context: { claims, say, now: () => Date.parse('2030-01-31T09:00:00Z') },
  elapsed: () => performance.now(),
});
