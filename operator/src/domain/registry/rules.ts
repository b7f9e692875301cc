import type { Observation } from '../../kube/conditions.ts';
import { missingApproval } from './approvals.ts';
import { type Cause, type Facts, GUARDED, type GuardedStage, serviceNames } from './facts.ts';

/** Something without which a version enters no stage that must be earned. */
export interface StageRule {
  readonly name: string;
  readonly stages: readonly GuardedStage[];
  /** As the page on the registry tells it. */
  readonly asks: string;
  /** Why it does not hold. undefined: it holds. */
  readonly lacking: (facts: Facts, stage: GuardedStage) => Cause | undefined;
}

const unless = ({ status, reason, message }: Observation): Cause | undefined =>
  status === 'True' ? undefined : { reason, message };

/** The first that does not hold is what the conditions name: what only another version can mend comes first. */
export const STAGE_RULES: readonly StageRule[] = [
  {
    name: 'files-kept',
    stages: GUARDED,
    asks: 'its files were not deleted by retention',
    lacking: ({ name, deletedAt }) =>
      deletedAt === undefined
        ? undefined
        : { reason: 'FilesDeleted', message: `The files of ${name} were deleted at ${deletedAt}: train it anew.` },
  },
  {
    name: 'digest-verified',
    stages: GUARDED,
    asks: 'its files hash to `artifact.digest`, and bear the signature where one is asked for (`Verified`)',
    lacking: ({ verified }) => unless(verified),
  },
  {
    name: 'gates-passed',
    stages: GUARDED,
    asks: 'every gate passes (`GatesPassed`)',
    lacking: ({ gates }) => unless(gates),
  },
  {
    name: 'not-rolled-back',
    stages: ['Production'],
    asks: 'no InferenceService of its namespace has rolled it back; `kubectl slipway retry infs/NAME` forgets that',
    lacking: ({ name, rejectedBy }) =>
      rejectedBy.length === 0
        ? undefined
        : {
            reason: 'RolledBack',
            message: `${name} was rolled back by ${serviceNames(rejectedBy)}: if its cause is mended, kubectl slipway retry infs/${rejectedBy[0]} forgets that.`,
          },
  },
  {
    name: 'approved',
    stages: GUARDED,
    asks: 'where `spec.approval` asks for it, one person (`Required`) or two of different names (`TwoPeople`) approved this digest for this stage',
    lacking: missingApproval,
  },
];

/** What a version lacks to enter a stage: the first rule that does not hold. */
export const lackingFor = (facts: Facts, stage: GuardedStage): Cause | undefined =>
  STAGE_RULES.filter(({ stages }) => stages.includes(stage))
    .map(({ lacking }) => lacking(facts, stage))
    .find((cause) => cause !== undefined);
