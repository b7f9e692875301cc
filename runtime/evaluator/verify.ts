import type { Gate } from '@slipway/crds';
import { type GateResult, VERIFICATION_SCHEMA, type VerificationReport } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';
import { hashArtifact } from '../artifact/hash.ts';
import { tryModel } from '../server/models/trial.ts';
import { judgeGates } from './gates/judge.ts';
import { openAsServed } from './gates/servedModel.ts';
import { readPredictions } from './predictions.ts';
import { randomFromDigest } from './random.ts';
import { readReported } from './reported/reported.ts';

export interface Verification {
  readonly artifactDir: string;
  /** Digest the artifact must have. */
  readonly digest: string;
  readonly gates: readonly Gate[];
  readonly say: (line: string) => void;
}

/**
 * Says whether an artifact is what its digest names, loads, answers its golden requests, and how its gates stand. A
 * gate that fails is a result; throws Failure only when there is nothing to judge: ArtifactMissing, DigestMismatch,
 * ModelMissing, ModelInvalid, SignatureInvalid, GoldenMismatch, PredictionsMissing or PredictionsInvalid.
 */
export async function verify(verification: Verification): Promise<VerificationReport> {
  const { artifactDir, digest, say } = verification;
  const { files, bytes } = await rehash(artifactDir, digest);
  say(`hashed ${files} files, ${bytes} bytes: as expected`);
  const signature = await tryModel(artifactDir);
  say('the model loads and answers its golden requests');
  const gates = await judge(verification, files, bytes);
  for (const { name, verdict, message } of gates) say(`gate ${name}: ${verdict}: ${message}`);
  return { schema: VERIFICATION_SCHEMA, digest, files, bytes, signature, gates };
}

async function rehash(artifactDir: string, digest: string) {
  const hash = await hashArtifact(artifactDir);
  if (hash.digest === digest) return hash;
  throw new Failure(
    'DigestMismatch',
    `The files have digest ${hash.digest}, not ${digest}; they were changed after they were published.`,
  );
}

/** Resampling is seeded by the digest: the same artifact gets the same verdict whenever it is asked for. */
async function judge(
  { artifactDir, digest, gates }: Verification,
  files: number,
  bytes: number,
): Promise<GateResult[]> {
  const judged = await judgeGates(gates, {
    predictions: () => readPredictions(artifactDir),
    rival: async () => undefined,
    reported: () => readReported(artifactDir),
    served: async (rows, work) => {
      const model = await openAsServed(artifactDir, rows);
      try {
        return await work(model);
      } finally {
        await model.close();
      }
    },
    bytes,
    files,
    random: () => randomFromDigest(digest),
    elapsed: () => performance.now(),
  });
  return judged.map(({ result }) => result);
}
