import type { InferenceServiceStatus, ModelVersionSpec, ModelVersionStatus, Stage } from '@slipway/crds';
import { API_VERSION } from '@slipway/crds/contract';
import type { InferenceService, ModelVersion } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';
import type { Approval, Facts } from './facts.ts';
import { historyWith } from './history.ts';

const AT = '2026-01-01T00:00:00Z';

/** The digest of a version of the tests: of the files that its number names, and of no other. */
export const digestOf = (version: string): string => `sha256:${version.replaceAll('.', '').padEnd(64, '0')}`;

export const approval = (by: string, changes: Partial<Approval> = {}): Approval => ({
  by,
  stage: 'Production',
  digest: digestOf('1.0.0'),
  at: AT,
  ...changes,
});

/** A version whose files and gates are in order, and which asks for Production. */
export const facts = (changes: Partial<Facts> = {}): Facts => ({
  name: 'flights-1.0.0',
  asked: 'Production',
  reached: 'Candidate',
  digest: digestOf('1.0.0'),
  approval: undefined,
  approvals: [],
  verified: { type: 'Verified', status: 'True', reason: 'DigestVerified', message: 'The files hash to it.' },
  gates: { type: 'GatesPassed', status: 'True', reason: 'AllGatesPassed', message: 'All 3 gates pass.' },
  deletedAt: undefined,
  servedBy: [],
  rejectedBy: [],
  ...changes,
});

const truth = (type: string) => ({
  type,
  status: 'True' as const,
  reason: 'Told',
  message: '',
  observedGeneration: 1,
  lastTransitionTime: AT,
});

/** A version as the controller leaves it: verified, and in its stage since a second of 1 January 2026. */
export function registered(
  version: string,
  stage: Stage,
  { second = 0, spec = {}, status = {} }: Registration = {},
): Stored<ModelVersion> {
  const name = `flights-${version}`;
  const move = { from: 'Candidate', to: stage, reason: 'Promoted', message: '' };
  const digest = digestOf(version);
  return {
    apiVersion: API_VERSION,
    kind: 'ModelVersion',
    metadata: { name, namespace: 'ml', uid: name, resourceVersion: '1', generation: 1 },
    spec: {
      model: 'flights',
      version,
      artifact: { uri: `pvc://models/flights/${digest.replace(':', '-')}`, digest, format: 'ONNX' },
      stage,
      ...spec,
    },
    status: {
      conditions: [truth('Verified'), truth('GatesPassed')],
      stage,
      history: historyWith([], move, new Date(Date.parse(AT) + second * 1000)),
      ...status,
    },
  };
}
interface Registration {
  readonly second?: number;
  readonly spec?: Partial<ModelVersionSpec>;
  readonly status?: Partial<ModelVersionStatus>;
}

/** A service of the model, and what its status names. */
export const service = (status: Partial<InferenceServiceStatus>, model: object = {}): InferenceService => ({
  apiVersion: API_VERSION,
  kind: 'InferenceService',
  metadata: { name: 'api', namespace: 'ml' },
  spec: { model: { name: 'flights', ...model } } as InferenceService['spec'],
  status,
});
