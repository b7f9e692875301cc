import { DIRECTORIES, LABELS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import type { TrainingJob } from '../api/kinds.ts';
import { KUEUE } from '../api/kueue.ts';
import type { Stored } from '../kube/wire.ts';
import { compact } from './compact.ts';
import { containerResources, type PlacementMore } from './placement.ts';
import { type Container, restrictedPod, type Volume } from './pod.ts';
import { overlaid, type PodTemplate } from './podTemplate.ts';
import type { RuntimeImage } from './runtimeImage.ts';
import { agentContainer } from './trainingAgent.ts';
import { childNames, trainingAnnotations, trainingChildMeta, trainingLabels } from './trainingJobChildren.ts';
import { trainingEnv } from './trainingJobEnv.ts';
import { datasetVolumes, inputMounts, needsPrepare, prepareContainer } from './trainingPrepare.ts';
import { WORKSPACE } from './workspace.ts';

/** The container whose exit decides the attempt. */
export const TRAIN_CONTAINER = 'train';

type PodFailurePolicy = NonNullable<NonNullable<Job['spec']>['podFailurePolicy']>;

/**
 * One dead rank ends the attempt at once, as the others would only hang until their collective times out. The two rules
 * do the same; that they are two makes the Job name the cause. The second can't stand in a Job that a queue may take
 * back: the Job controller also asks it of pods that it ends itself, and what SIGTERM made of those would fail the Job.
 * There backoffLimit does it, which counts no pod that the controller has let go.
 */
function firstFailureEndsAll({ queue }: TrainingJob['spec']): PodFailurePolicy {
  const disrupted: PodFailurePolicy['rules'][number] = {
    action: 'FailJob',
    onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }],
  };
  const failed: PodFailurePolicy['rules'][number] = {
    action: 'FailJob',
    onExitCodes: { containerName: TRAIN_CONTAINER, operator: 'NotIn', values: [0] },
  };
  return { rules: queue === undefined ? [disrupted, failed] : [disrupted] };
}

const trainer = (tj: Stored<TrainingJob>, attempt: number, { mig }: PlacementMore): Container =>
  compact<Container>({
    name: TRAIN_CONTAINER,
    image: tj.spec.image,
    command: tj.spec.command,
    args: tj.spec.args,
    envFrom: tj.spec.envFrom as Container['envFrom'],
    env: trainingEnv(tj, attempt),
    resources: containerResources(tj.spec.resources, tj.spec.accelerator, mig),
    volumeMounts: [
      { name: 'workspace', mountPath: DIRECTORIES.checkpoints, subPath: WORKSPACE.checkpoints },
      { name: 'workspace', mountPath: DIRECTORIES.output, subPath: WORKSPACE.output(attempt) },
      { name: 'status', mountPath: DIRECTORIES.status },
      { name: 'parameters', mountPath: DIRECTORIES.parameters, readOnly: true },
      ...inputMounts(tj),
    ],
  });

const volumes = (tj: Stored<TrainingJob>): Volume[] => {
  const names = childNames(tj.metadata.name);
  return [
    { name: 'workspace', persistentVolumeClaim: { claimName: names.workspace } },
    { name: 'status', emptyDir: {} },
    { name: 'parameters', configMap: { name: names.parameters } },
    { name: 'admin', secret: { secretName: names.admin, defaultMode: 0o440 } },
    ...datasetVolumes(tj),
  ];
};

/** Its queue alone starts a Job that is made suspended; without the label it would wait for ever. */
const queueing = ({ queue, queuePriority }: TrainingJob['spec']) => {
  if (queue === undefined) return { labels: {}, spec: {} };
  const priority = queuePriority === undefined ? {} : { [KUEUE.priorityClass]: queuePriority };
  return { labels: { [KUEUE.queueName]: queue, ...priority }, spec: { suspend: true } };
};

function podTemplate(
  tj: Stored<TrainingJob>,
  attempt: number,
  runtime: RuntimeImage,
  more: PlacementMore,
): PodTemplate {
  const { name } = tj.metadata;
  const { placement, accelerator } = tj.spec;
  const labels = { ...trainingLabels(name, 'training'), [LABELS.attempt]: String(attempt) };
  const { topologyKey } = placement ?? {};
  const template: PodTemplate = {
    metadata: { labels, annotations: trainingAnnotations(name) },
    spec: restrictedPod({
      initContainers: [
        agentContainer(runtime),
        ...(needsPrepare(tj, attempt) ? [prepareContainer(tj, attempt, runtime)] : []),
      ],
      containers: [trainer(tj, attempt, more)],
      volumes: volumes(tj),
      placement,
      accelerator,
      more: topologyKey === undefined ? more : { ...more, together: { topologyKey, matchLabels: labels } },
      extra: { restartPolicy: 'Never', subdomain: childNames(name).rendezvous },
    }),
  };
  return overlaid(template, tj.spec.podTemplate);
}

/**
 * One attempt: an Indexed Job of `nodes` pods that live and die together. It never retries by itself (backoffLimit 0):
 * the budget of restarts stands in the TrainingJob's status, where a deleted child can't reset it, and a fresh Job
 * starts every index, where a retried one would start only those that had not finished.
 */
export function trainingJobAttempt(
  tj: Stored<TrainingJob>,
  attempt: number,
  runtime: RuntimeImage,
  more: PlacementMore = {},
): Job {
  const meta = trainingChildMeta(tj, childNames(tj.metadata.name).attempt(attempt));
  const queue = queueing(tj.spec);
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, labels: { ...meta.labels, [LABELS.attempt]: String(attempt), ...queue.labels } },
    spec: {
      completionMode: 'Indexed',
      completions: tj.spec.nodes,
      parallelism: tj.spec.nodes,
      backoffLimit: 0,
      podReplacementPolicy: 'Failed',
      podFailurePolicy: firstFailureEndsAll(tj.spec),
      ...queue.spec,
      template: podTemplate(tj, attempt, runtime, more),
    },
  };
}
