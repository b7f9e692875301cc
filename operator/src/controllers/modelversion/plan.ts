import type { Condition, ModelVersionStatus } from '@slipway/crds';
import type { VerificationReport } from '@slipway/crds/contract';
import type { Job } from '../../api/builtin.ts';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import { namesText, referencesTo } from '../../domain/model/references.ts';
import { findingsOf, gatesVerdict } from '../../domain/model/verdict.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { failuresOf, isDecisive, lastMessages, type PodFailure } from '../../domain/workload/podEnd.ts';
import { podWait } from '../../domain/workload/podWait.ts';
import { verificationReport } from '../../domain/workload/report.ts';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';
import { compact } from '../../render/compact.ts';
import { parseClaimUri } from '../../render/pvcUri.ts';
import { VERIFY_CONTAINER } from '../../render/verificationJob.ts';
import type { JobWorld } from '../jobs/jobWorld.ts';

/** Between two looks for a claim that is not there. */
const CLAIM_MS = 15_000;
/** Rest before a verification that failed for no fault of the artifact is tried again. */
export const RETRY_MS = 60_000;

export interface World {
  readonly mv: Stored<ModelVersion>;
  readonly now: Date;
  readonly verification: JobWorld;
  /** Whether the claim of the artifact exists; looked up only before verification starts. */
  readonly claimExists: boolean;
  /** Of the same namespace. */
  readonly services: readonly InferenceService[];
}

export type Action = { readonly kind: 'StartVerification' } | { readonly kind: 'DeleteJob'; readonly job: Stored<Job> };
export type BareStatus = Omit<ModelVersionStatus, 'conditions' | 'observedGeneration'>;

export interface Plan {
  readonly actions: readonly Action[];
  readonly status: BareStatus;
  readonly observed: readonly Observation[];
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

const condition = ({ mv }: World, type: string): Condition | undefined =>
  mv.status?.conditions?.find((c) => c.type === type);

/** The stored status with who serves and who rejected the version today. */
function standing(world: World): BareStatus {
  const { conditions: _c, observedGeneration: _g, ...stored } = world.mv.status ?? {};
  const { servedBy, rejectedBy } = referencesTo(world.mv, world.services);
  return compact<BareStatus>({
    ...stored,
    servedBy: servedBy.length === 0 ? undefined : servedBy,
    servedByNames: servedBy.length === 0 ? undefined : namesText(servedBy),
    rejectedBy: rejectedBy.length === 0 ? undefined : rejectedBy,
  });
}

const note = (type: EventNote['type'], reason: string, message: string): EventNote => ({
  type,
  reason,
  action: 'Verify',
  message,
});

/** Not verified yet: nothing is known of the gates either. */
export const waiting = (world: World, reason: string, message: string, extra: Partial<Plan> = {}): Plan => ({
  actions: [],
  status: standing(world),
  observed: [
    { type: 'Ready', status: 'False', reason, message },
    { type: 'Reconciling', status: 'True', reason, message },
    { type: 'Stalled', status: 'False', reason, message },
    { type: 'Verified', status: 'Unknown', reason, message },
    { type: 'GatesPassed', status: 'Unknown', reason, message },
  ],
  events: [],
  next: settled,
  ...extra,
});

/** The artifact itself is at fault. It is immutable, so this is final. */
const condemn = (world: World, reason: string, message: string): Plan => ({
  ...waiting(world, reason, message),
  observed: [
    { type: 'Ready', status: 'False', reason, message },
    { type: 'Reconciling', status: 'False', reason, message },
    { type: 'Stalled', status: 'True', reason, message },
    { type: 'Verified', status: 'False', reason, message },
    {
      type: 'GatesPassed',
      status: 'Unknown',
      reason: 'NotVerified',
      message: 'Gates are judged on verified files only.',
    },
  ],
  events: [note('Warning', reason, message)],
  next: again(1, 'the finished Job is removed'),
});

/** The digest holds; whether the version is Ready is now up to its gates. */
function judge(world: World, report: VerificationReport): Plan {
  const { spec } = world.mv;
  const findings = findingsOf(report);
  const gates = gatesVerdict(findings.gates ?? [], spec.gates?.length ?? 0);
  const passed = gates.status === 'True';
  const reason = passed ? 'Ready' : gates.reason;
  const message = passed ? 'Digest verified and every gate passed: the version may serve.' : gates.message;
  return {
    actions: [],
    status: { ...standing(world), ...findings },
    observed: [
      { type: 'Ready', status: gates.status, reason, message },
      { type: 'Reconciling', status: 'False', reason, message },
      { type: 'Stalled', status: passed ? 'False' : 'True', reason, message },
      { type: 'Verified', status: 'True', reason: 'DigestVerified', message: `The files hash to ${report.digest}.` },
      { type: 'GatesPassed', ...gates },
    ],
    events: [note(passed ? 'Normal' : 'Warning', reason, message)],
    next: again(1, 'the finished Job is removed'),
  };
}

const keep = (world: World): Plan => {
  const { job } = world.verification;
  return {
    actions: job === undefined || job.metadata.deletionTimestamp !== undefined ? [] : [{ kind: 'DeleteJob', job }],
    status: standing(world),
    observed: world.mv.status?.conditions ?? [],
    events: [],
    next: settled,
  };
};

const start = (world: World): Plan => {
  const { claim } = parseClaimUri(world.mv.spec.artifact.uri);
  if (world.claimExists) {
    const message = `Hashing the files of ${world.mv.spec.artifact.uri}.`;
    return waiting(world, 'Verifying', message, { actions: [{ kind: 'StartVerification' }] });
  }
  const message = `PersistentVolumeClaim ${claim} of artifact.uri does not exist in namespace ${world.mv.metadata.namespace}: create it.`;
  return waiting(world, 'ClaimMissing', message, { next: again(CLAIM_MS, message) });
};

/** The verifier died and named no fault of the artifact (no memory, no node): after a rest it is tried again. */
function retry(world: World, job: Stored<Job>, failure: PodFailure | undefined, endedAt: string | undefined): Plan {
  const reason = failure?.outOfMemory ? 'OutOfMemory' : (failure?.reason ?? 'VerificationFailed');
  const cause =
    failure === undefined ? 'its pod is gone' : `exit code ${failure.exitCode ?? 'unknown'}: ${failure.message}`;
  const message = `The verifier failed (${cause}); it is tried again every ${RETRY_MS / 1000} s.`;
  const rest = Date.parse(endedAt ?? '') + RETRY_MS - world.now.getTime();
  return rest > 0
    ? waiting(world, reason, message, { next: again(rest, message) })
    : waiting(world, reason, message, { actions: [{ kind: 'DeleteJob', job }] });
}

function readReport(world: World, job: Stored<Job>): Plan {
  const messages = lastMessages(world.verification.pods, VERIFY_CONTAINER);
  if (messages.length === 0) {
    const message = 'The pod that verified is gone, and its report with it: verifying again.';
    return waiting(world, 'Verifying', message, { actions: [{ kind: 'DeleteJob', job }] });
  }
  const report = messages.map(verificationReport).find((r) => r !== undefined);
  if (report === undefined) return retry(world, job, undefined, job.status?.completionTime);
  const { digest } = world.mv.spec.artifact;
  return report.digest === digest
    ? judge(world, report)
    : condemn(world, 'DigestMismatch', `The files hash to ${report.digest}, not to ${digest}.`);
}

function followJob(world: World, job: Stored<Job>): Plan {
  const failures = failuresOf(world.verification.pods, VERIFY_CONTAINER);
  const decisive = failures.find(isDecisive);
  if (decisive?.reason !== undefined) return condemn(world, decisive.reason, decisive.message);
  const end = jobEnd(job);
  if (end?.kind === 'Complete') return readReport(world, job);
  if (end?.kind === 'Failed') return retry(world, job, failures[0], end.at);
  const wait = podWait(world.verification.pods);
  return waiting(
    world,
    wait?.reason ?? 'Verifying',
    wait?.message ?? `Hashing the files of ${world.mv.spec.artifact.uri}.`,
  );
}

const isDecided = (world: World): boolean =>
  condition(world, 'Verified')?.status === 'True' || condition(world, 'Stalled')?.status === 'True';

/** What one pass does about one ModelVersion. Its spec never changes, so a verdict once reached stands. Pure and total. */
export function plan(world: World): Plan {
  if (isDecided(world)) return keep(world);
  const { job } = world.verification;
  return job === undefined ? start(world) : followJob(world, job);
}
