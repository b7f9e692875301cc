import type { Accelerator, Placement } from '@slipway/crds';
import type { Pod } from '../api/builtin.ts';
import { type PlacementMore, placementFields } from './placement.ts';

export type PodSpec = NonNullable<Pod['spec']>;
export type Container = PodSpec['containers'][number];
export type Volume = NonNullable<PodSpec['volumes']>[number];
export type VolumeMount = NonNullable<Container['volumeMounts']>[number];

/** The user of every pod we render. Any image runs under it, also one that would start as root. */
const NON_ROOT = 65532;
const SCRATCH = 'tmp';

/** What Pod Security `restricted` asks of a container, and a root filesystem that nobody can write. */
const containerSecurity: NonNullable<Container['securityContext']> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** What Pod Security `restricted` asks of a pod. fsGroup lets the user write the claims it mounts. */
const podSecurity: NonNullable<PodSpec['securityContext']> = {
  runAsNonRoot: true,
  runAsUser: NON_ROOT,
  runAsGroup: NON_ROOT,
  fsGroup: NON_ROOT,
  fsGroupChangePolicy: 'OnRootMismatch',
  seccompProfile: { type: 'RuntimeDefault' },
};

const harden = (container: Container): Container => ({
  imagePullPolicy: 'IfNotPresent',
  // The last lines of the log stand in for a cause that the container did not live to write.
  terminationMessagePolicy: 'FallbackToLogsOnError',
  ...container,
  volumeMounts: [...(container.volumeMounts ?? []), { name: SCRATCH, mountPath: '/tmp' }],
  securityContext: containerSecurity,
});

export interface PodParts {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Volume[];
  readonly placement?: Placement | undefined;
  readonly accelerator?: Accelerator | undefined;
  /** What of the placement stands in no spec. */
  readonly more?: PlacementMore | undefined;
  /** Whatever else the workload needs: restartPolicy, hostname, subdomain, grace period, topology spread. */
  readonly extra?: Omit<Partial<PodSpec>, 'containers' | 'initContainers' | 'volumes' | 'securityContext'>;
}

/**
 * Every pod of ours is made here: non-root, no privilege, no writable root (/tmp is an emptyDir), no service-account
 * token, no service links, and where the user wants it.
 */
export const restrictedPod = (parts: PodParts): PodSpec => ({
  automountServiceAccountToken: false,
  enableServiceLinks: false,
  securityContext: podSecurity,
  ...placementFields(parts.placement, parts.accelerator, parts.more),
  ...parts.extra,
  ...(parts.initContainers === undefined ? {} : { initContainers: parts.initContainers.map(harden) }),
  containers: parts.containers.map(harden),
  volumes: [...(parts.volumes ?? []), { name: SCRATCH, emptyDir: {} }],
});
