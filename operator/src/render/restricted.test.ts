import { describe, expect, test } from 'vitest';
import { hardeningViolations, restrictedViolations } from '../../test/podSecurity.ts';
import { DIGEST, modelVersion, trainingJob } from '../../test/trainingBuilders.ts';
import type { Job } from '../api/builtin.ts';
import type { InferenceService } from '../api/kinds.ts';
import { deployment } from './deployment.ts';
import { publishJob } from './publishJob.ts';
import { trainingJobAttempt } from './trainingJob.ts';
import { verificationJob } from './verificationJob.ts';

type PodSpec = Parameters<typeof restrictedViolations>[0];

const runtime = { image: 'example.com/runtime:1', pullPolicy: 'IfNotPresent' as const };
const templateOf = ({ spec }: Job): PodSpec => spec?.template.spec as PodSpec;

const PODS: Record<string, PodSpec> = {
  training: templateOf(
    trainingJobAttempt(
      trainingJob({ accelerator: { resource: 'nvidia.com/gpu', count: 2 }, command: ['python', 'train.py'] }),
      0,
      runtime,
    ),
  ),
  publish: templateOf(publishJob(trainingJob(), '0.1.0', 0, runtime)),
  verification: templateOf(verificationJob(modelVersion(), runtime)),
  predictor: deployment(
    {
      apiVersion: 'slipway.dev/v1alpha1',
      kind: 'InferenceService',
      metadata: { name: 'flights', namespace: 'ml', uid: 'u', resourceVersion: '1' },
      spec: { model: { name: 'flights', version: '0.1.0' } } as InferenceService['spec'],
    },
    {
      model: { name: 'flights', version: '0.1.0', digest: DIGEST },
      uri: 'pvc://models/flights/files',
      predictor: { accelerator: { resource: 'nvidia.com/gpu', count: 1 } },
    },
    runtime,
  ).spec?.template.spec as PodSpec,
};

describe.each(Object.entries(PODS))('the %s pod', (_name, pod) => {
  test('breaks no rule of Pod Security restricted', () => expect(restrictedViolations(pod)).toEqual([]));
  test('has no token, no writable root and a /tmp', () => expect(hardeningViolations(pod)).toEqual([]));
});

describe('the check itself sees', () => {
  const { training } = PODS as { training: PodSpec };
  const [container] = training.containers;
  const relaxed = (securityContext: object): PodSpec => ({
    ...training,
    containers: [{ ...(container as PodSpec['containers'][number]), securityContext }],
  });
  const strict = container?.securityContext ?? {};

  const cases: Record<string, { pod: PodSpec; broken: string }> = {
    'a host network': { pod: { ...training, hostNetwork: true }, broken: 'host namespaces' },
    'a host path': {
      pod: { ...training, volumes: [{ name: 'h', hostPath: { path: '/' } }] },
      broken: 'volume types',
    },
    'a privileged container': { pod: relaxed({ ...strict, privileged: true }), broken: 'privileged containers' },
    'a kept capability': { pod: relaxed({ ...strict, capabilities: {} }), broken: 'capabilities not dropped' },
    'an added capability': {
      pod: relaxed({ ...strict, capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
      broken: 'capabilities added',
    },
    'privilege escalation by default': {
      pod: relaxed({ capabilities: { drop: ['ALL'] } }),
      broken: 'privilege escalation',
    },
    'a container that may be root': { pod: relaxed({ ...strict, runAsNonRoot: false }), broken: 'running as non-root' },
    'user 0': { pod: relaxed({ ...strict, runAsUser: 0 }), broken: 'running as user 0' },
    'no seccomp profile': { pod: { ...training, securityContext: { runAsNonRoot: true } }, broken: 'seccomp' },
  };
  test.each(Object.entries(cases))('%s', (_case, { pod, broken }) =>
    expect(restrictedViolations(pod)).toEqual([broken]),
  );
});
