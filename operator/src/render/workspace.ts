import type { PersistentVolumeClaim } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { compact } from './compact.ts';
import { childNames, trainingChildMeta } from './trainingJobChildren.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

/**
 * Folders of the workspace. Checkpoints are shared by all attempts, which is what makes a restart cheap; each attempt
 * has an output of its own, so that no file of a failed attempt is ever published with a later one.
 */
export const WORKSPACE = {
  checkpoints: 'checkpoints',
  input: 'input',
  output: (attempt: number): string => `output/a${attempt}`,
} as const;

/** One pod can mount it alone; several may land on several machines, which only ReadWriteMany allows. */
const usualMode = (nodes: number) => (nodes === 1 ? 'ReadWriteOnce' : 'ReadWriteMany');

/** The claim of a job. */
export const workspaceClaim = (tj: Stored<TrainingJob>): PersistentVolumeClaim => {
  const { size, storageClass, accessMode = usualMode(tj.spec.nodes) } = tj.spec.workspace.claim;
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: trainingChildMeta(tj, childNames(tj.metadata.name).workspace),
    spec: compact<ClaimSpec>({
      accessModes: [accessMode],
      resources: { requests: { storage: size } },
      storageClassName: storageClass,
    }),
  };
};
