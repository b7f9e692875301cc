import { EVIDENCE_SCHEMA, type Evidence, LATENCY_BOUNDS_MS } from '@slipway/crds/contract';
import { evidenceOf, type ProcessState } from './evidence/document.ts';
import type { ModelIdentity, ServedModel } from './models/servedModel.ts';
import type { ModelObservation } from './observe/observatory.ts';
import type { AskedModel } from './rest/admin.ts';

export interface EvidenceReportOptions {
  /** The one model of a pod, known before it is loaded. */
  readonly identity: ModelIdentity | undefined;
  /** The model that the evidence is about, once there is one. Throws RequestError. */
  readonly model: (asked: AskedModel) => ServedModel | undefined;
  readonly observation: (identity: ModelIdentity) => ModelObservation | undefined;
  readonly state: () => ProcessState;
  readonly startedAt: Date;
  readonly epoch: string;
  readonly now: () => Date;
}

/**
 * The evidence document of a model: that of a pod or one of a folder, or of nothing while it is not loaded. A document of zeros under an
 * epoch of its own tells a reader that the process is there and has counted nothing.
 */
export const evidenceReport =
  ({ identity, model, observation, state, startedAt, epoch, now }: EvidenceReportOptions) =>
  (asked: AskedModel): Evidence => {
    const served = model(asked);
    if (served) return evidenceOf(served, state(), now(), observation(served.identity)?.shadowEvidence());
    return {
      schema: EVIDENCE_SCHEMA,
      epoch,
      startedAt: startedAt.toISOString(),
      at: now().toISOString(),
      model: identity ?? NO_MODEL,
      ...state(),
      requests: { ok: 0, clientError: 0, serverError: 0, shed: 0 },
      batches: { seconds: 0, failedSquaredOverServed: 0 },
      latency: {
        boundsMs: [...LATENCY_BOUNDS_MS],
        counts: new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0),
        sumMs: 0,
      },
    };
  };

const NO_MODEL: ModelIdentity = { name: '', version: '', digest: '' };
