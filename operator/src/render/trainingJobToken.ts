import { FILES } from '@slipway/crds/contract';
import type { Secret } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { childNames, trainingChildMeta } from './trainingJobChildren.ts';

/** The bearer token that the agent beside the trainer asks of whoever reads its admin port. Made once a job. */
export const trainingJobToken = (tj: Stored<TrainingJob>, token: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: trainingChildMeta(tj, childNames(tj.metadata.name).admin),
  type: 'Opaque',
  immutable: true,
  data: { [FILES.token]: Buffer.from(token).toString('base64') },
});
