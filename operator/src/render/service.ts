import type { Service } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import { type RevisionSpec, revisionOf } from '../domain/revision.ts';
import type { Stored } from '../kube/wire.ts';
import { predictorMeta, predictorNames, revisionSelector } from './predictorChildren.ts';
import { predictorPorts } from './replicasService.ts';
import { revisionRecord } from './revisionRecord.ts';

/** One Service a revision, whose selector never changes: no request can reach another version through it. */
export function service(infs: Stored<InferenceService>, spec: RevisionSpec): Service {
  const revision = revisionOf(spec);
  const { name } = infs.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      ...predictorMeta(infs, predictorNames(name).revision(revision), revision),
      annotations: revisionRecord(spec),
    },
    spec: {
      type: 'ClusterIP',
      selector: revisionSelector(name, revision),
      ports: predictorPorts(),
    },
  };
}
