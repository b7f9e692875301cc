import type { Stage } from '@slipway/crds';
import { ANNOTATIONS } from '@slipway/crds/contract';
import type { ModelVersion } from '../../src/api/kinds.ts';
import { missingApproval } from '../../src/domain/registry/approvals.ts';
import { type GuardedStage, isGuarded, serviceNames } from '../../src/domain/registry/facts.ts';
import { rfc3339 } from '../../src/kube/conditions.ts';
import { find } from '../render/conditions.ts';
import type { Approver, Request } from '../requests.ts';

const refused = (why: string): Request => ({ kind: 'refused', why });

/** Of the API. */
const MOST_APPROVALS = 64;

const approvalsOf = ({ metadata, spec }: ModelVersion) => ({
  name: metadata.name,
  approval: spec.approval,
  approvals: spec.approvals ?? [],
  digest: spec.artifact.digest,
});

/** What people still owe a stage, as one more sentence. */
const owed = (version: ModelVersion, stage: Stage): string => {
  const missing = isGuarded(stage) ? missingApproval(approvalsOf(version), stage) : undefined;
  return missing === undefined ? '' : ` ${missing.message}`;
};

/** Asks for a stage. Whether the version gets there is the operator's to say: gates and approvals decide. */
export function stageRequest(version: ModelVersion, stage: Stage): Request {
  const { metadata, spec, status } = version;
  const { name } = metadata;
  if (status?.deletedAt !== undefined && isGuarded(stage)) {
    return refused(`The files of ${name} were deleted at ${status.deletedAt}: train it anew.`);
  }
  if ((spec.stage ?? 'Candidate') === stage) {
    const told = find(status?.conditions, 'StageReached')?.message ?? 'the operator has not looked at it yet.';
    return refused(`mv/${name} is asked to be in ${stage} already. ${told}`);
  }
  const { servedBy = [] } = status ?? {};
  const serving = stage === 'Archived' && servedBy.length > 0 ? ` ${serviceNames(servedBy)} goes on serving it.` : '';
  const done = `mv/${name} is asked to be in ${stage}.${owed(version, stage)}${serving}`;
  return { kind: 'patch', patch: { spec: { stage } }, done };
}

/** The stage that an approval is for where none is named: that which the version asks for. */
const stageOf = ({ spec }: ModelVersion, named: GuardedStage | undefined): GuardedStage | undefined =>
  named ?? (isGuarded(spec.stage) ? spec.stage : undefined);

/** Approves just these files for one stage, written against the version that was read. */
export function versionApprovalRequest(
  version: ModelVersion,
  named: GuardedStage | undefined,
  { by, at, comment }: Approver,
): Request {
  const { metadata, spec } = version;
  const stage = stageOf(version, named);
  if (stage === undefined) {
    return refused(
      `mv/${metadata.name} asks for no stage that is approved: name it, as in kubectl slipway approve mv/${metadata.name} --stage=Production`,
    );
  }
  const { approvals = [], artifact } = spec;
  if (approvals.some((a) => a.stage === stage && a.by === by)) {
    const next = spec.approval === 'TwoPeople' ? ' Two people are two names: somebody else writes this.' : '';
    return refused(`${by} approved mv/${metadata.name} for ${stage} already.${next}`);
  }
  if (approvals.length >= MOST_APPROVALS) {
    return refused(`mv/${metadata.name} has ${MOST_APPROVALS} approvals, and has room for no more.`);
  }
  const approval = {
    stage,
    by,
    digest: artifact.digest,
    at: rfc3339(at),
    ...(comment === undefined ? {} : { comment }),
  };
  const spread = { ...version, spec: { ...spec, approvals: [...approvals, approval] } };
  const patch = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { approvals: spread.spec.approvals } };
  const asks =
    spec.stage === stage
      ? ''
      : ` It is not asked to be there yet: kubectl slipway promote mv/${metadata.name} --stage=${stage}`;
  return {
    kind: 'patch',
    patch,
    done: `Approved mv/${metadata.name} for ${stage} as ${by}.${owed(spread, stage)}${asks}`,
  };
}

/** Asks for one more verification, known by its value. */
export function verifyRequest({ metadata, status }: ModelVersion, ask: string): Request {
  if (status?.deletedAt !== undefined) {
    return refused(`The files of mv/${metadata.name} were deleted at ${status.deletedAt}: there is nothing to verify.`);
  }
  const patch = { metadata: { annotations: { [ANNOTATIONS.verify]: ask } } };
  return { kind: 'patch', patch, done: `Verifying mv/${metadata.name} again.` };
}
