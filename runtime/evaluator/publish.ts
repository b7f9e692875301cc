import { mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { EVALUATION_DIRECTORY, FILES, type Place, PUBLISH_SCHEMA, type PublishReport } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { filesUnder } from '../artifact/hash.ts';
import type { Manifest } from '../artifact/manifest.ts';
import { refuseManyTensors } from '../artifact/manyTensors.ts';
import { publicHalf, readPrivateKey, type SigningKey } from '../artifact/signing/keys.ts';
import { claimOf } from '../artifact/signing/sign.ts';
import { linesOf, verifyClaims } from '../artifact/signing/verifySignature.ts';
import { withStore } from '../artifact/stores/openStore.ts';
import { bytesOf, type Delivery, type LocalFile, type Store, type StoreContext } from '../artifact/stores/store.ts';
import { readBaseline } from '../server/evidence/baseline.ts';
import { readModelFiles } from '../server/models/modelFiles.ts';
import { openForTrial } from '../server/models/trial.ts';
import { addBaseline } from './baseline/addBaseline.ts';

export interface Publication {
  /** Output of the training container. */
  readonly outputDir: string;
  /** What training read, a folder a data set. */
  readonly inputDir: string;
  readonly store: Place;
  readonly modelName: string;
  /** Private key, or the folder of its Secret. Unset: the artifact is not signed. */
  readonly signingKeyFile?: string | undefined;
  readonly context: StoreContext;
}

/** Folder of the output that becomes the artifact. */
const MODEL_FOLDER = 'model';

/**
 * Stores a finished model under its digest, with what belongs to it and its trainer did not write. The same content
 * published twice is one artifact. Throws Failure OutputInvalid, ModelInvalid, SignatureInvalid, GoldenMismatch,
 * DigestMismatch, or what the store refuses with; then nothing of it is visible.
 */
export async function publish(publication: Publication): Promise<PublishReport> {
  const { outputDir, store: place, modelName, signingKeyFile, context } = publication;
  const files = await filesToPublish(outputDir);
  const key = signingKeyFile === undefined ? undefined : await readPrivateKey(signingKeyFile);
  const view = await mkdtemp(join(tmpdir(), 'publish-'));
  try {
    const whole = await complete(view, files, publication);
    const claim = key && (({ files: entries }: Manifest) => claimOf(modelName, entries, key));
    const { uri, manifest, isNew } = await withStore(place, context, async (store) => {
      const root = place.uri.replace(/\/+$/, '');
      const delivery = await store.put(root, { model: modelName, files: whole, claim });
      if (key !== undefined && !delivery.isNew) await countersign(store, delivery, modelName, key);
      return delivery;
    });
    context.say(isNew ? `published ${uri}` : `${uri} is in the store already`);
    const { digest } = manifest;
    return { schema: PUBLISH_SCHEMA, uri, digest, files: manifest.files.length, bytes: bytesOf(manifest.files) };
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

/** The same content may be there from somebody who signed with another key, or not at all. */
async function countersign(store: Store, { uri, manifest }: Delivery, name: string, key: SigningKey): Promise<void> {
  const claims = linesOf(await store.claims(uri));
  try {
    verifyClaims(claims, manifest.files, publicHalf(key));
  } catch {
    await store.addClaim(uri, claimOf(name, manifest.files, key));
  }
}

/** Adds what belongs to a model and its trainer did not write: the signature, and a baseline where there is anything to make it of. */
async function complete(
  view: string,
  files: readonly LocalFile[],
  publication: Publication,
): Promise<readonly LocalFile[]> {
  const { outputDir, inputDir, context } = publication;
  await layOut(view, files);
  const made = [...files, ...(await addSignature(view, join(outputDir, MODEL_FOLDER), files))];
  const { signature } = await readModelFiles(view);
  if (signature === undefined) return made;
  const given = files.find(({ path }) => path === FILES.baseline)?.from;
  const from = join(view, `.made-${FILES.baseline}`);
  if (await addBaseline(from, { outputDir, inputDir, given, signature, say: context.say })) {
    await rm(join(view, FILES.baseline), { force: true });
    await symlink(from, join(view, FILES.baseline));
    made.splice(0, made.length, ...made.filter(({ path }) => path !== FILES.baseline), { path: FILES.baseline, from });
  }
  // A baseline that fits no request would make a version that can't be watched: better no version.
  await readBaseline(view, signature);
  return made;
}

/** Where each file of the artifact comes from. Throws Failure OutputInvalid, naming what is missing. */
async function filesToPublish(outputDir: string): Promise<readonly LocalFile[]> {
  const model = join(outputDir, MODEL_FOLDER);
  await refuseLinkOut(outputDir, MODEL_FOLDER);
  if (!(await isFile(join(model, FILES.model)))) {
    throw new Failure(
      'OutputInvalid',
      `The output has no ${MODEL_FOLDER}/${FILES.model}; the training container must write its model there.`,
    );
  }
  const files = new Map((await filesUnder(model)).map((path) => [path, join(model, path)]));
  for (const path of await evaluationFiles(outputDir)) {
    if (!files.has(path)) files.set(path, join(outputDir, path));
  }
  for (const [name, to] of [
    [FILES.baseline, FILES.baseline],
    [FILES.golden, FILES.golden],
    [FILES.metrics, `${EVALUATION_DIRECTORY}/${FILES.metrics}`],
    [FILES.predictions, `${EVALUATION_DIRECTORY}/${FILES.predictions}`],
  ] as const) {
    const from = join(outputDir, name);
    if (files.has(to) || !(await isFile(from))) continue;
    await refuseLinkOut(outputDir, name);
    files.set(to, from);
  }
  return [...files].map(([path, from]) => ({ path, from }));
}

/** What the training reports of itself, in whichever format: the gates on reported metrics read it. */
async function evaluationFiles(outputDir: string): Promise<readonly string[]> {
  const folder = join(outputDir, EVALUATION_DIRECTORY);
  await refuseLinkOut(outputDir, EVALUATION_DIRECTORY);
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? (await filesUnder(folder)).map((path) => `${EVALUATION_DIRECTORY}/${path}`) : [];
}

/**
 * A link may lead to what the publisher has mounted and the trainer has not: the keys of stores and of signatures. What
 * it leads to would be published. Throws Failure OutputInvalid.
 */
async function refuseLinkOut(outputDir: string, name: string): Promise<void> {
  const target = await realpath(join(outputDir, name)).catch(() => undefined);
  if (target === undefined || target.startsWith((await realpath(outputDir)) + sep)) return;
  throw new Failure('OutputInvalid', `${name} is a link that leads out of the output; copy what it leads to instead.`);
}

/** The artifact as it will be, made of links: it is read as its readers will read it before a byte is copied. */
async function layOut(view: string, files: readonly LocalFile[]): Promise<void> {
  for (const { path, from } of files) {
    await mkdir(dirname(join(view, path)), { recursive: true });
    await symlink(resolve(from), join(view, path));
  }
}

/** A signature that the trainer did not write is what the model says of itself. */
async function addSignature(view: string, model: string, files: readonly LocalFile[]): Promise<readonly LocalFile[]> {
  if (files.some(({ path }) => path === FILES.signature)) return [];
  const engine = await openForTrial(model);
  const from = join(view, FILES.signature);
  try {
    refuseManyTensors(engine.signature);
    await writeFile(from, `${JSON.stringify(engine.signature, undefined, 2)}\n`);
  } finally {
    await engine.close();
  }
  return [{ path: FILES.signature, from }];
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
