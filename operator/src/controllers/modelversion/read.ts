import { inferenceServices, type ModelVersion, modelVersions } from '../../api/kinds.ts';
import type { ControllerContext } from '../../kube/contracts.ts';
import type { Stored } from '../../kube/wire.ts';
import { removalJobName } from '../../render/removalJob.ts';
import { verificationJobName } from '../../render/verificationJob.ts';
import { NO_JOB, readJob } from '../jobs/jobWorld.ts';
import { NOTHING_LACKS, needsOf } from './needs.ts';
import { BY_MODEL, modelKey } from './sources.ts';
import { isDue } from './verification.ts';
import type { World } from './world.ts';

/** Gathers everything that one decision about a version needs. `made`: uid of the Job that this process made for it last. */
export async function read(
  context: ControllerContext,
  mv: Stored<ModelVersion>,
  made: string | undefined,
  signal: AbortSignal,
): Promise<World> {
  const { client, store, now } = context;
  const { name, namespace, uid } = mv.metadata;
  const versions = store(modelVersions);
  const isOther = (other: Stored<ModelVersion>): boolean => other.metadata.uid !== uid;
  const siblings = versions.by(BY_MODEL, modelKey(mv)).filter(isOther);
  const verification = await readJob(context, mv, verificationJobName(name), signal);
  const starts = verification.job === undefined && isDue({ mv });
  const kept = mv.spec.retention === undefined;
  return {
    mv,
    now: now(),
    verification,
    verifier: made ?? mv.status?.verifier,
    removal: kept ? NO_JOB : await readJob(context, mv, removalJobName(name), signal),
    needs: starts ? await needsOf(client, mv, siblings, signal) : NOTHING_LACKS,
    services: store(inferenceServices).list(namespace),
    siblings,
    others: kept ? [] : versions.list().filter(isOther),
  };
}
