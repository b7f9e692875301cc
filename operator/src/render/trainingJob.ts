import { DIRECTORIES, ENV, LABELS, PORTS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { compact } from './compact.ts';
import { containerResources } from './placement.ts';
import { type Container, restrictedPod, type Volume } from './pod.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { childNames, trainingAnnotations, trainingChildMeta, trainingLabels } from './trainingJobChildren.ts';
import { trainingEnv } from './trainingJobEnv.ts';
import { WORKSPACE } from './workspace.ts';

/** The container whose exit decides the attempt. */
export const TRAIN_CONTAINER = 'train';
export const AGENT_CONTAINER = 'agent';
export const PREPARE_CONTAINER = 'prepare';

type PodFailurePolicy = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>;

/**
 * One dead rank ends the attempt at once, as the others would only hang until their collective times out. The two rules
 * do the same; that they are two makes the Job name the cause.
 */
const FIRST_FAILURE_ENDS_ALL: PodFailurePolicy = {
  rules: [
    { action: 'FailJob', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    { action: 'FailJob', onExitCodes: { containerName: TRAIN_CONTAINER, operator: 'NotIn', values: [0] } },
  ],
};

const trainer = (tj: Stored<TrainingJob>, attempt: number): Container =>
  compact<Container>({
    name: TRAIN_CONTAINER,
    image: tj.spec.image,
    command: tj.spec.command,
    args: tj.spec.args,
    env: trainingEnv(tj, attempt),
    resources: containerResources(tj.spec.resources, tj.spec.accelerator),
    volumeMounts: [
      { name: 'workspace', mountPath: DIRECTORIES.checkpoints, subPath: WORKSPACE.checkpoints },
      { name: 'workspace', mountPath: DIRECTORIES.output, subPath: WORKSPACE.output(attempt) },
      { name: 'status', mountPath: DIRECTORIES.status },
      { name: 'parameters', mountPath: DIRECTORIES.parameters, readOnly: true },
    ],
  });

/**
 * Serves the trainer's progress file on the admin port. A native sidecar: it starts before the trainer and never keeps
 * the pod alive after it. Only pod 0's is asked, but an Indexed Job has one template for all.
 */
const agent = ({ image, pullPolicy }: RuntimeImage): Container => ({
  name: AGENT_CONTAINER,
  image,
  imagePullPolicy: pullPolicy,
  restartPolicy: 'Always',
  command: ['node', '/app/agent.mjs'],
  env: [
    { name: ENV.statusDir, value: DIRECTORIES.status },
    { name: ENV.adminPort, value: String(PORTS.admin) },
    { name: ENV.adminTokenFile, value: `${DIRECTORIES.admin}/token` },
  ],
  ports: [{ name: 'admin', containerPort: PORTS.admin, protocol: 'TCP' }],
  resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '128Mi' } },
  volumeMounts: [
    { name: 'status', mountPath: DIRECTORIES.status, readOnly: true },
    { name: 'admin', mountPath: DIRECTORIES.admin, readOnly: true },
  ],
});

const volumes = (name: string): Volume[] => {
  const names = childNames(name);
  return [
    { name: 'workspace', persistentVolumeClaim: { claimName: names.workspace } },
    { name: 'status', emptyDir: {} },
    { name: 'parameters', configMap: { name: names.parameters } },
    { name: 'admin', secret: { secretName: names.admin, defaultMode: 0o440 } },
  ];
};

/**
 * One attempt: an Indexed Job of `nodes` pods that live and die together. It never retries by itself (backoffLimit 0):
 * the budget of restarts stands in the TrainingJob's status, where a deleted child can't reset it, and a fresh Job
 * starts every index, where a retried one would start only those that had not finished.
 */
export function trainingJobAttempt(tj: Stored<TrainingJob>, attempt: number, runtime: RuntimeImage): Job {
  const { name } = tj.metadata;
  const names = childNames(name);
  const ofAttempt = { [LABELS.attempt]: String(attempt) };
  const meta = trainingChildMeta(tj, names.attempt(attempt));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, labels: { ...meta.labels, ...ofAttempt } },
    spec: {
      completionMode: 'Indexed',
      completions: tj.spec.nodes,
      parallelism: tj.spec.nodes,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: FIRST_FAILURE_ENDS_ALL,
      template: {
        metadata: {
          labels: { ...trainingLabels(name, 'training'), ...ofAttempt },
          annotations: trainingAnnotations(name),
        },
        spec: restrictedPod({
          initContainers: [agent(runtime)],
          containers: [trainer(tj, attempt)],
          volumes: volumes(name),
          placement: tj.spec.placement,
          accelerator: tj.spec.accelerator,
          extra: { restartPolicy: 'Never', subdomain: names.rendezvous },
        }),
      },
    },
  };
}
