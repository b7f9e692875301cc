import type { Observation } from '../../kube/conditions.ts';
import { approversOf, joined, missingApproval } from './approvals.ts';
import { type Cause, type Facts, isGuarded, serviceNames } from './facts.ts';
import { lackingFor } from './rules.ts';

/** What else is going on with a version whose stage is told. */
export interface Circumstances {
  /** The version that services with follow: Production serve; undefined: none. */
  readonly current: string | undefined;
  /** Since when it is in its stage. */
  readonly since: string;
  /** Its files are verified again just now. */
  readonly verifying: Cause | undefined;
  /** Retention takes its files; `final`: it has begun to. */
  readonly leaving: (Cause & { readonly final: boolean }) | undefined;
}

const is = (type: string, status: Observation['status'], { reason, message }: Cause): Observation => ({
  type,
  status,
  reason,
  message,
});

/** Approvals are owed for a stage that is asked for and not reached; what was reached stays reached. */
function owed(facts: Facts): Cause | undefined {
  const { asked, reached } = facts;
  return isGuarded(asked) && asked !== reached ? missingApproval(facts, asked) : undefined;
}

function approved(facts: Facts): Observation {
  const { asked, approval } = facts;
  if (approval === undefined)
    return is('Approved', 'True', { reason: 'NotAsked', message: 'Nobody has to approve it.' });
  if (!isGuarded(asked)) {
    return is('Approved', 'True', { reason: 'NoneNeeded', message: `To be ${asked} needs no approval.` });
  }
  const missing = owed(facts);
  if (missing !== undefined) return is('Approved', 'False', missing);
  const people = approversOf(facts, asked);
  const message = people.length === 0 ? `It had reached more than ${asked}.` : `${joined(people)} approved ${asked}.`;
  return is('Approved', 'True', { reason: people.length === 0 ? 'Reached' : 'Approved', message });
}

const rolledBack = ({ rejectedBy }: Facts): string =>
  rejectedBy.length === 0 ? '' : ` It was rolled back by ${serviceNames(rejectedBy)}.`;

function inProduction(facts: Facts, { current, since }: Circumstances): Cause {
  const place =
    current === facts.name
      ? 'services with follow: Production serve it'
      : `${current ?? 'another version'} came there later, and is what services with follow: Production serve${current === undefined ? '' : ` (kubectl slipway promote mv/${current} --stage=Staging takes it out)`}`;
  const reason = facts.rejectedBy.length > 0 && current === facts.name ? 'RolledBack' : 'Reached';
  return { reason, message: `In Production since ${since}: ${place}.${rolledBack(facts)}` };
}

function reachedCause(facts: Facts, circumstances: Circumstances): Cause {
  const { asked, servedBy } = facts;
  if (asked === 'Production') return inProduction(facts, circumstances);
  if (asked !== 'Archived') return { reason: 'Reached', message: `In ${asked}.${rolledBack(facts)}` };
  return servedBy.length === 0
    ? { reason: 'Archived', message: 'No new rollout to it starts.' }
    : {
        reason: 'StillServed',
        message: `No new rollout to it starts; it is still served by ${serviceNames(servedBy)}.`,
      };
}

/** What keeps a version from the stage that it is asked to be in; `wrong`: waiting does not help. */
function obstacle(facts: Facts): (Cause & { readonly wrong: boolean }) | undefined {
  const { asked, reached, verified, gates } = facts;
  if (asked === reached || !isGuarded(asked)) return undefined;
  const cause = lackingFor(facts, asked);
  if (cause === undefined) return undefined;
  const wrong = verified.status === 'False' || gates.status === 'False' || cause.reason === 'RolledBack';
  return { ...cause, wrong };
}

function stageReached(facts: Facts, circumstances: Circumstances): Observation {
  const { asked, reached } = facts;
  if (asked === reached) return is('StageReached', 'True', reachedCause(facts, circumstances));
  const { reason, message } = obstacle(facts) ?? { reason: 'Moving', message: `It is asked to be in ${asked}.` };
  return is('StageReached', 'False', { reason, message: `${reached ?? 'New'}, not ${asked} yet. ${message}` });
}

const SOUND: Cause = { reason: 'Ready', message: 'Digest verified and every gate passed: the version may serve.' };
const ARCHIVED: Cause = { reason: 'Archived', message: 'It is sound, and archived: no new rollout to it starts.' };

/** Whether it may serve, and else whether waiting helps. */
function soundness(facts: Facts, { leaving }: Circumstances): { ready: boolean; cause: Cause; wrong: boolean } {
  const { verified, gates, reached } = facts;
  if (leaving !== undefined) return { ready: false, cause: leaving, wrong: leaving.final };
  if (verified.status !== 'True') return { ready: false, cause: verified, wrong: verified.status === 'False' };
  if (gates.status !== 'True') return { ready: false, cause: gates, wrong: gates.status === 'False' };
  // A version that serves in Staging goes on while Production is asked for.
  const missing = isGuarded(reached) ? undefined : owed(facts);
  if (missing !== undefined) return { ready: false, cause: missing, wrong: false };
  return { ready: true, cause: reached === 'Archived' ? ARCHIVED : SOUND, wrong: false };
}

/**
 * The conditions of a version, after kstatus: Reconciling and Stalled are true when abnormal, and never both. Ready says
 * that it may serve; that it is where it is asked to be is StageReached.
 */
export function standing(facts: Facts, circumstances: Circumstances): Observation[] {
  const { verifying } = circumstances;
  const { ready, cause, wrong } = soundness(facts, circumstances);
  const stuck = obstacle(facts);
  const stalled = verifying === undefined && (wrong || (ready && stuck?.wrong === true));
  const reconciling = !stalled && (verifying !== undefined || !ready || stuck !== undefined);
  const why = verifying ?? (ready ? stuck : undefined) ?? cause;
  return [
    is('Ready', ready ? 'True' : 'False', cause),
    is('Reconciling', reconciling ? 'True' : 'False', why),
    is('Stalled', stalled ? 'True' : 'False', why),
    facts.verified,
    facts.gates,
    approved(facts),
    stageReached(facts, circumstances),
  ];
}
