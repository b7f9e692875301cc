import type { Gate, ModelVersionSpec } from '@slipway/crds';
import {
  type Place,
  type Prediction,
  type Rival,
  VERIFICATION_SCHEMA,
  type VerificationReport,
} from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { refuseManyTensors } from '../artifact/manyTensors.ts';
import { verifySignature } from '../artifact/signing/verifySignature.ts';
import { type OpenArtifact, openArtifact } from '../artifact/stores/openArtifact.ts';
import type { StoreContext } from '../artifact/stores/store.ts';
import { tryModel } from '../server/models/trial.ts';
import { type Evidence, type Judged, judgeGates } from './gates/judge.ts';
import { openAsServed } from './gates/servedModel.ts';
import { readPredictions } from './predictions.ts';
import { randomFromDigest } from './random.ts';
import { type Findings, leaveReports } from './report/leave.ts';
import { readReported } from './reported/reported.ts';
import { Rivals } from './rivals.ts';

export interface Verification {
  /** Where it lies in a store, or a folder of this machine, beside which no reports are left. */
  readonly artifact: Place | { readonly dir: string };
  /** Digest the artifact must have. */
  readonly digest: string;
  readonly gates: readonly Gate[];
  /** Versions that gates compare with. */
  readonly rivals?: readonly Rival[];
  /** Of the ModelVersion; without it no reports are left. */
  readonly spec?: ModelVersionSpec | undefined;
  /** File of the public key that must verify the artifact's signature; undefined: none is asked for. */
  readonly keyFile?: string | undefined;
  readonly context: StoreContext;
  /** Milliseconds of a clock that never jumps. */
  readonly elapsed: () => number;
}

/**
 * Says whether an artifact is what its digest names, loads, answers its golden requests, and how its gates stand, and
 * leaves what was measured beside it. A gate that fails is a result, and so is a store that takes no reports; throws
 * Failure only when there is nothing to judge: ArtifactMissing, DigestMismatch, ModelMissing, ModelInvalid,
 * SignatureInvalid, SignatureMissing, SignatureMismatch, GoldenMismatch, PredictionsMissing, PredictionsInvalid, EvaluationInvalid, RivalUnavailable, or a
 * reason of the store.
 */
export async function verify(verification: Verification): Promise<VerificationReport> {
  const artifact = await open(verification);
  const rivals = new Rivals(verification.rivals ?? [], verification.context);
  try {
    return await verifyOpen(verification, artifact, rivals);
  } finally {
    await rivals.close();
    await artifact.close();
  }
}

async function verifyOpen(order: Verification, artifact: OpenArtifact, rivals: Rivals): Promise<VerificationReport> {
  const { digest, context } = order;
  const { files, bytes, entries } = artifact.hash;
  context.say(`hashed ${files} files, ${bytes} bytes: as expected`);
  const signed = await signedBy(order, artifact);
  const signature = await tryModel(artifact.dir);
  refuseManyTensors(signature);
  context.say('the model loads and answers its golden requests');
  const predictions = once(() => readPredictions(artifact.dir));
  const judged = await judgeGates(order.gates, evidenceOf(order, artifact, rivals, predictions));
  for (const { result } of judged) context.say(`gate ${result.name}: ${result.verdict}: ${result.message}`);
  const findings: Findings = {
    dir: artifact.dir,
    digest,
    files,
    bytes,
    entries,
    signature,
    judged,
    predictions,
    rivals,
  };
  const reports = await leaveReports(order, findings);
  return {
    schema: VERIFICATION_SCHEMA,
    digest,
    files,
    bytes,
    signature,
    gates: judged.map(resultOf),
    ...signed,
    ...reports,
  };
}

const resultOf = ({ result }: Judged) => result;

/** Before anything of the artifact is loaded: a model is code. */
async function signedBy({ keyFile, context }: Verification, { dir, hash }: OpenArtifact) {
  if (keyFile === undefined) return {};
  const key = await verifySignature(dir, hash.entries, keyFile);
  context.say(`signed by ${key}`);
  return { signedBy: key };
}

const open = ({ artifact, digest, context }: Verification): Promise<OpenArtifact> =>
  'dir' in artifact ? openFolder(artifact.dir, digest) : openArtifact(artifact, digest, context);

async function openFolder(dir: string, digest: string): Promise<OpenArtifact> {
  const hash = await hashArtifact(dir);
  if (hash.digest === digest) return { dir, hash, close: async () => undefined };
  throw new Failure(
    'DigestMismatch',
    `The files have digest ${hash.digest}, not ${digest}; they were changed after they were published.`,
  );
}

/** Resampling is seeded by the digest: the same artifact gets the same verdict whenever it is asked for. */
const evidenceOf = (
  { digest, elapsed }: Verification,
  { dir, hash }: OpenArtifact,
  rivals: Rivals,
  predictions: () => Promise<readonly Prediction[]>,
): Evidence => ({
  predictions,
  rival: (word) => rivals.find(word),
  reported: () => readReported(dir),
  served: async (rows, work) => {
    const model = await openAsServed(dir, rows);
    try {
      return await work(model);
    } finally {
      await model.close();
    }
  },
  bytes: hash.bytes,
  files: hash.files,
  random: () => randomFromDigest(digest),
  elapsed,
});

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
