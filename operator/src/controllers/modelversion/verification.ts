import { ANNOTATIONS, type VerificationReport } from '@slipway/crds/contract';
import type { Job } from '../../api/builtin.ts';
import { findingsOf, gatesVerdict } from '../../domain/model/verdict.ts';
import type { Cause } from '../../domain/registry/facts.ts';
import { comparedText, rivalsFor, rivalsGiven } from '../../domain/registry/rivals.ts';
import { jobEnd } from '../../domain/workload/jobEnd.ts';
import { oneLine } from '../../domain/workload/oneLine.ts';
import { failuresOf, isDecisive, lastMessages, type PodFailure } from '../../domain/workload/podEnd.ts';
import { podWait } from '../../domain/workload/podWait.ts';
import { verificationReport } from '../../domain/workload/report.ts';
import type { Observation } from '../../kube/conditions.ts';
import type { EventNote } from '../../kube/contracts.ts';
import { again, type Outcome, settled } from '../../kube/outcome.ts';
import type { Stored } from '../../kube/wire.ts';
import { VERIFY_CONTAINER } from '../../render/verificationJob.ts';
import { type Action, type BareStatus, dropJob, removalHasBegun, storedCondition, type World } from './world.ts';

/** Between two looks for a claim, or a rival, that is not there. */
const LOOK_MS = 15_000;
/** Rest before a verification that failed for no fault of the artifact is tried again. */
export const RETRY_MS = 60_000;
const LONGEST_ASK = 63;

/** What is known of the files and gates of a version after this pass. */
export interface Verification {
  readonly actions: readonly Action[];
  readonly findings: Partial<BareStatus>;
  readonly verified: Observation;
  readonly gates: Observation;
  /** Files that were verified before are looked at again; what was found then holds until the new result. */
  readonly verifying: Cause | undefined;
  readonly events: readonly EventNote[];
  readonly next: Outcome;
}

const truth = (type: string, status: Observation['status'], { reason, message }: Cause): Observation => ({
  type,
  status,
  reason,
  message,
});
const note = (type: EventNote['type'], { reason, message }: Cause): EventNote => ({
  type,
  reason,
  action: 'Verify',
  message,
});

/** The value by which a person asked for a verification, if any. */
export const askOf = ({ metadata }: { readonly metadata: Job['metadata'] }): string | undefined =>
  metadata.annotations?.[ANNOTATIONS.verify]?.slice(0, LONGEST_ASK);

const isDecided = (world: Pick<World, 'mv'>): boolean =>
  ['True', 'False'].includes(storedCondition(world, 'Verified')?.status ?? '');

const UNKNOWN: Cause = { reason: 'NotVerified', message: 'Gates are judged on verified files only.' };

/** As it was found before; nothing was found before the first verification. */
const asStored = (world: World, cause: Cause): Verification => ({
  actions: [],
  findings: {},
  verified: storedCondition(world, 'Verified') ?? truth('Verified', 'Unknown', cause),
  gates: storedCondition(world, 'GatesPassed') ?? truth('GatesPassed', 'Unknown', UNKNOWN),
  verifying: undefined,
  events: [],
  next: settled,
});

/** Under way. What an earlier verification found holds meanwhile, so that nothing that serves is taken away. */
export function pending(
  world: World,
  reason: string,
  message: string,
  extra: Partial<Verification> = {},
): Verification {
  const cause = { reason, message };
  const before = asStored(world, cause);
  if (isDecided(world)) return { ...before, verifying: cause, ...extra };
  const [verified, gates] = [truth('Verified', 'Unknown', cause), truth('GatesPassed', 'Unknown', cause)];
  return { ...before, verified, gates, ...extra };
}

const answered = (job: Job): Partial<BareStatus> => {
  const ask = askOf(job);
  return ask === undefined ? {} : { verifiedFor: ask };
};
const ENDED: Outcome = again(1, 'the finished Job is removed');

/** The artifact itself is at fault. It is immutable, so this stands until a person asks to look again. */
const condemn = (world: World, job: Job, reason: string, message: string): Verification => ({
  ...asStored(world, { reason, message }),
  findings: answered(job),
  verified: truth('Verified', 'False', { reason, message }),
  gates: truth('GatesPassed', 'Unknown', UNKNOWN),
  events: [note('Warning', { reason, message })],
  next: ENDED,
});

const SOUND: Cause = { reason: 'Ready', message: 'Digest verified and every gate passed: the version may serve.' };

/** The digest holds; what the version may do is now up to its gates, and to people. */
function judge(world: World, job: Job, report: VerificationReport): Verification {
  const findings = findingsOf(report);
  const { status, reason, message } = gatesVerdict(findings.gates ?? [], world.mv.spec.gates?.length ?? 0);
  const signed = report.signedBy === undefined ? '' : ` The key ${report.signedBy} signed them.`;
  const skipped = report.reportsSkipped === undefined ? '' : ` ${report.reportsSkipped}`;
  const digest = { reason: 'DigestVerified', message: `The files hash to ${report.digest}.${signed}${skipped}` };
  const told = { reason, message: `${message}${comparedText(rivalsGiven(job))}` };
  return {
    actions: [],
    findings: { ...findings, ...answered(job) },
    verified: truth('Verified', 'True', digest),
    gates: truth('GatesPassed', status, told),
    verifying: undefined,
    events: [status === 'True' ? note('Normal', SOUND) : note('Warning', told)],
    next: ENDED,
  };
}

function start(world: World): Verification {
  const { uri } = world.mv.spec.artifact;
  const { missing } = world.needs;
  if (missing !== undefined) {
    return pending(world, missing.reason, missing.message, { next: again(LOOK_MS, missing.message) });
  }
  const rivals = rivalsFor(world.mv, world.siblings);
  if (rivals.kind === 'Pending') {
    return pending(world, 'RivalNotVerified', rivals.message, { next: again(LOOK_MS, rivals.message) });
  }
  return pending(world, 'Verifying', `Hashing the files of ${uri}.`, { actions: [{ kind: 'StartVerification' }] });
}

/** The verifier died and named no fault of the artifact (no memory, no node, no rival): after a rest it is tried again. */
function retry(
  world: World,
  job: Stored<Job>,
  failure: PodFailure | undefined,
  endedAt: string | undefined,
  unnamed = 'its pod is gone',
): Verification {
  const reason = failure?.outOfMemory ? 'OutOfMemory' : (failure?.reason ?? 'VerificationFailed');
  const cause = failure === undefined ? unnamed : `exit code ${failure.exitCode ?? 'unknown'}: ${failure.message}`;
  const message = `The verifier failed (${cause}); it is tried again every ${RETRY_MS / 1000} s.`;
  const rest = Date.parse(endedAt ?? '') + RETRY_MS - world.now.getTime();
  return rest > 0
    ? pending(world, reason, message, { next: again(rest, message) })
    : pending(world, reason, message, { actions: [{ kind: 'DeleteJob', job }] });
}

function readReport(world: World, job: Stored<Job>): Verification {
  const messages = lastMessages(world.verification.pods, VERIFY_CONTAINER);
  if (messages.length === 0) {
    const message = 'The pod that verified is gone, and its report with it: verifying again.';
    return pending(world, 'Verifying', message, { actions: [{ kind: 'DeleteJob', job }] });
  }
  const report = messages.map(verificationReport).find((r) => r !== undefined);
  if (report === undefined) {
    const said = `it left no report that this operator can read, but "${oneLine(messages[0] ?? '', 128)}"; is its image of the same release?`;
    return retry(world, job, undefined, job.status?.completionTime, said);
  }
  const { digest } = world.mv.spec.artifact;
  return report.digest === digest
    ? judge(world, job, report)
    : condemn(world, job, 'DigestMismatch', `The files hash to ${report.digest}, not to ${digest}.`);
}

function followJob(world: World, job: Stored<Job>): Verification {
  const failures = failuresOf(world.verification.pods, VERIFY_CONTAINER);
  const decisive = failures.find(isDecisive);
  if (decisive?.reason !== undefined) return condemn(world, job, decisive.reason, decisive.message);
  const end = jobEnd(job);
  if (end?.kind === 'Complete') return readReport(world, job);
  if (end?.kind === 'Failed') return retry(world, job, failures[0], end.at);
  const wait = podWait(world.verification.pods);
  return pending(
    world,
    wait?.reason ?? 'Verifying',
    wait?.message ?? `Hashing the files of ${world.mv.spec.artifact.uri}.`,
  );
}

/** Whether a verification is owed: the first, or one that a person asked for since. Files that are gone get none. */
export function isDue(world: Pick<World, 'mv'>): boolean {
  const { status } = world.mv;
  if (status?.deletedAt !== undefined || removalHasBegun(world)) return false;
  const ask = askOf(world.mv);
  return !isDecided(world) || (ask !== undefined && ask !== status?.verifiedFor);
}

/**
 * Where the verification of a version stands. Its spec never changes, so a verdict stands until a person asks again. A
 * Job that answers an earlier question is not read for this one; nor is one that the operator did not make itself, as whoever
 * may create Jobs could have written its report.
 */
export function verification(world: World): Verification {
  const { job } = world.verification;
  if (!isDue(world)) return { ...asStored(world, UNKNOWN), actions: dropJob(world.verification) };
  if (job === undefined) return start(world);
  if (job.metadata.uid !== world.verifier) {
    const message = `Job ${job.metadata.name} was not made by this operator as far as it knows: it is deleted unread, and another verifies.`;
    return pending(world, 'Verifying', message, { actions: dropJob(world.verification) });
  }
  if (askOf(job) === askOf(world.mv)) return followJob(world, job);
  return pending(world, 'Verifying', 'Asked to verify again.', { actions: dropJob(world.verification) });
}
