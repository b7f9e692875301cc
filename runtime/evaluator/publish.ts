import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { digestDirectory } from '@slipway/crds';
import { EVALUATION_DIRECTORY, FILES, PUBLISH_SCHEMA, type PublishReport } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { type ArtifactHash, hashArtifact } from '../artifact/hash.ts';
import { readBaseline } from '../server/evidence/baseline.ts';
import { readModelFiles } from '../server/models/modelFiles.ts';
import { openForTrial } from '../server/models/trial.ts';
import { openStaging, type Staging } from './staging.ts';

export interface Publication {
  /** Output of the training container. */
  readonly outputDir: string;
  readonly storeDir: string;
  /** What the store is called outside, without a slash at its end. */
  readonly storeUri: string;
  readonly modelName: string;
  readonly now: number;
  readonly say: (line: string) => void;
}

/** Folder of the output that becomes the artifact. */
const MODEL_FOLDER = 'model';

const MANIFEST_SCHEMA = 'slipway.dev/manifest/v1';

/**
 * Stores a finished model under its digest: copied aside, hashed from the copy, made visible by one rename. The same
 * content published twice is one folder. Throws Failure OutputInvalid, ModelInvalid, SignatureInvalid, GoldenMismatch,
 * DigestMismatch or StoreUnavailable; then nothing of it is visible.
 */
export async function publish(publication: Publication): Promise<PublishReport> {
  const { outputDir, storeDir, modelName, now, say } = publication;
  const model = join(outputDir, MODEL_FOLDER);
  const files = await filesToPublish(outputDir, model);
  const parent = join(storeDir, modelName);
  const staging = await openStaging(parent, now);
  try {
    for (const { from, to } of files) await staging.copy(from, to);
    say(`copied ${files.length} files`);
    await addSignature(staging, files);
    await checkBaseline(staging.path);
    const hash = await hashArtifact(staging.path);
    say(`hashed ${hash.files} files, ${hash.bytes} bytes: ${hash.digest}`);
    await staging.write(FILES.manifest, manifestOf(hash));
    await makeVisible(staging, parent, hash, say);
    return reportOf(publication, hash);
  } finally {
    await staging.discard();
  }
}

interface FileToPublish {
  readonly from: string;
  readonly to: string;
}

/** Where each file of the artifact comes from. Throws Failure OutputInvalid, naming what is missing. */
async function filesToPublish(outputDir: string, model: string): Promise<readonly FileToPublish[]> {
  if (!(await exists(join(model, FILES.model)))) {
    throw new Failure(
      'OutputInvalid',
      `The output has no ${MODEL_FOLDER}/${FILES.model}; the training container must write its model there.`,
    );
  }
  const { entries } = await hashArtifact(model);
  const files = new Map(entries.map(({ path }) => [path, join(model, path)]));
  for (const [name, to] of [
    [FILES.baseline, FILES.baseline],
    [FILES.golden, FILES.golden],
    [FILES.metrics, `${EVALUATION_DIRECTORY}/${FILES.metrics}`],
    [FILES.predictions, `${EVALUATION_DIRECTORY}/${FILES.predictions}`],
  ] as const) {
    const from = join(outputDir, name);
    if (!files.has(to) && (await exists(from))) files.set(to, from);
  }
  return [...files].map(([to, from]) => ({ from, to }));
}

/** A signature that the trainer did not write is what the model says of itself. */
async function addSignature(staging: Staging, files: readonly FileToPublish[]): Promise<void> {
  if (files.some(({ to }) => to === FILES.signature)) return;
  const engine = await openForTrial(staging.path);
  try {
    await staging.write(FILES.signature, `${JSON.stringify(engine.signature, undefined, 2)}\n`);
  } finally {
    await engine.close();
  }
}

/** A baseline that fits no request would make a version that can't be watched: better no version. */
async function checkBaseline(directory: string): Promise<void> {
  const { signature } = await readModelFiles(directory);
  if (signature) await readBaseline(directory, signature);
}

const manifestOf = ({ digest, entries }: ArtifactHash): string =>
  `${JSON.stringify({ schema: MANIFEST_SCHEMA, digest, files: entries }, undefined, 2)}\n`;

async function makeVisible(staging: Staging, parent: string, { digest }: ArtifactHash, say: Publication['say']) {
  const name = digestDirectory(digest);
  if (await staging.commit(name)) return say(`published ${name}`);
  const present = await hashArtifact(join(parent, name));
  if (present.digest === digest) return say(`${name} is in the store already`);
  throw new Failure(
    'DigestMismatch',
    `The store holds ${name} with other content (${present.digest}); remove that folder and publish again.`,
  );
}

const reportOf = ({ storeUri, modelName }: Publication, { digest, files, bytes }: ArtifactHash): PublishReport => ({
  schema: PUBLISH_SCHEMA,
  uri: `${storeUri}/${modelName}/${digestDirectory(digest)}`,
  digest,
  files,
  bytes,
});

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
