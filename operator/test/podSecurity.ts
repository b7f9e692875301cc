import type { Pod } from '../src/api/builtin.ts';

type PodSpec = NonNullable<Pod['spec']>;
type Container = PodSpec['containers'][number];

/** Volume types that the restricted profile allows. */
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const SECCOMP = ['RuntimeDefault', 'Localhost'];

/** A rule of Pod Security `restricted` (baseline included): what it forbids, in the words of its documentation. */
type Rule = readonly [name: string, broken: (pod: PodSpec, containers: readonly Container[]) => boolean];

const some = (test: (c: Container) => boolean) => (_: PodSpec, containers: readonly Container[]) =>
  containers.some(test);

const RULES: readonly Rule[] = [
  ['host namespaces', (p) => [p.hostNetwork, p.hostPID, p.hostIPC].includes(true)],
  ['privileged containers', some((c) => c.securityContext?.privileged === true)],
  ['host ports', some((c) => c.ports?.some(({ hostPort = 0 }) => hostPort !== 0) ?? false)],
  ['proc mount type', some((c) => !['Default', undefined].includes(c.securityContext?.procMount))],
  ['sysctls', (p) => (p.securityContext?.sysctls?.length ?? 0) > 0],
  ['volume types', (p) => (p.volumes ?? []).some((v) => !VOLUMES.some((type) => type in v))],
  ['privilege escalation', some((c) => c.securityContext?.allowPrivilegeEscalation !== false)],
  [
    'running as non-root',
    (p, all) => all.some((c) => (c.securityContext?.runAsNonRoot ?? p.securityContext?.runAsNonRoot) !== true),
  ],
  [
    'running as user 0',
    (p, all) => [p.securityContext, ...all.map((c) => c.securityContext)].some((s) => s?.runAsUser === 0),
  ],
  [
    'seccomp',
    (p, all) =>
      all.some(
        (c) =>
          !SECCOMP.includes(c.securityContext?.seccompProfile?.type ?? p.securityContext?.seccompProfile?.type ?? ''),
      ),
  ],
  ['capabilities not dropped', some((c) => c.securityContext?.capabilities?.drop?.includes('ALL') !== true)],
  [
    'capabilities added',
    some((c) => c.securityContext?.capabilities?.add?.some((name) => name !== 'NET_BIND_SERVICE') ?? false),
  ],
];

/** The rules of Pod Security `restricted` that a pod breaks; none for a pod the profile admits. */
export function restrictedViolations(pod: PodSpec): string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return RULES.filter(([, broken]) => broken(pod, containers)).map(([name]) => name);
}

/** Our own rules beside the profile: no token, no writable root, nothing that a container does not need. */
export function hardeningViolations(pod: PodSpec): string[] {
  const containers = [...(pod.initContainers ?? []), ...pod.containers];
  return [
    ...(pod.automountServiceAccountToken === false ? [] : ['service-account token']),
    ...(containers.every((c) => c.securityContext?.readOnlyRootFilesystem === true)
      ? []
      : ['writable root filesystem']),
    ...(containers.every((c) => c.volumeMounts?.some(({ mountPath }) => mountPath === '/tmp'))
      ? []
      : ['no writable /tmp']),
  ];
}
