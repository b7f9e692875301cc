import { createHash } from 'node:crypto';
import type { VersionNotification } from '@slipway/crds';
import { type ModelVersion, modelVersions } from '../api/kinds.ts';
import type { StageEntry } from '../domain/registry/facts.ts';
import { type CloudEvent, cloudEvent } from './cloudEvent.ts';
import type { Account, Step } from './pending.ts';

/** Stages whose reaching is told: to be a candidate is how each begins. */
const BY_STAGE: Readonly<Record<string, VersionNotification>> = {
  Staging: 'versionInStaging',
  Production: 'versionInProduction',
  Archived: 'versionArchived',
};

const facts = ({ metadata, spec }: ModelVersion) => ({
  modelVersion: metadata.name,
  model: spec.model,
  version: spec.version,
  digest: spec.artifact.digest,
});

function stageEvent(about: ModelVersion, entry: StageEntry): CloudEvent | undefined {
  const { from, to, at: time, hash: id, reason, message, by } = entry;
  const type = from === to ? undefined : BY_STAGE[to];
  if (type === undefined) return undefined;
  const told = { ...facts(about), from, to, reason, message, ...(by === undefined ? {} : { by }) };
  return cloudEvent(modelVersions, about, { type, id, time, told });
}

/** People are asked once what they are asked for can be given: a version whose gates are still judged may need nobody. */
function approvalStep(about: ModelVersion): Step | undefined {
  const { conditions = [], notifiedApproval, stage: from = 'Candidate' } = about.status ?? {};
  const find = (type: string, is: string) => conditions.find((c) => c.type === type && c.status === is);
  const [owed, passed] = [find('Approved', 'False'), find('GatesPassed', 'True')];
  const { stage: to = 'Candidate' } = about.spec;
  if (owed === undefined || passed === undefined) return undefined;
  const [, time = ''] = [owed.lastTransitionTime, passed.lastTransitionTime].sort();
  const mark = `${to} ${time}`;
  if (mark === notifiedApproval) return undefined;
  const id = createHash('sha256').update(`${about.metadata.uid} AwaitingApproval ${mark}`).digest('hex');
  const told = { ...facts(about), from, to, reason: owed.reason, message: owed.message };
  const event = cloudEvent(modelVersions, about, { type: 'versionAwaitingApproval', id, time, told });
  return { event, after: { notifiedApproval: mark } };
}

/** What there is to tell of a version: the stages that it reaches, and that it waits for people. */
export const accountOfVersion = (about: ModelVersion): Account<StageEntry> => ({
  history: about.status?.history ?? [],
  notified: about.status?.notified,
  eventOf: (entry) => stageEvent(about, entry),
  lasting: approvalStep(about),
});
