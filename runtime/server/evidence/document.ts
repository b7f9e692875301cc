import { EVIDENCE_SCHEMA, type Evidence } from '@slipway/crds/contract';
import type { ServedModel } from '../models/servedModel.ts';

/** What the process knows of itself, beside what a model version counts. */
export interface ProcessState {
  readonly ready: boolean;
  readonly draining: boolean;
  /** Model requests that have arrived and are not answered yet. */
  readonly inFlight: number;
}

/** The evidence document of one model version. `shadow`: how the candidate it is compared with fares, if there is one. */
export function evidenceOf(
  { identity: { name, version, digest }, evidence }: Pick<ServedModel, 'identity' | 'evidence'>,
  { ready, draining, inFlight }: ProcessState,
  now: Date,
  shadow?: Evidence['shadow'],
): Evidence {
  const { epoch, startedAt, ...counts } = evidence.counts();
  return {
    schema: EVIDENCE_SCHEMA,
    epoch,
    startedAt,
    at: now.toISOString(),
    model: { name, version, digest },
    ready,
    draining,
    inFlight,
    ...counts,
    ...(shadow ? { shadow } : {}),
  };
}
