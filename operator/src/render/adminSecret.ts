import { FILES } from '@slipway/crds/contract';
import type { Secret } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames } from './predictorChildren.ts';

/** The bearer token of the admin port, the same for all pods of a service. */
export const adminSecret = (infs: Stored<InferenceService>, token: string): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: predictorMeta(infs, predictorNames(infs.metadata.name).adminToken),
  type: 'Opaque',
  data: { [FILES.token]: Buffer.from(token).toString('base64') },
});
