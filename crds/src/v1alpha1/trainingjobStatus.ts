import * as z from 'zod';
import { conditionsField } from '../common/condition.ts';
import { atomicList, digest, mapList, observedGeneration, semver, stringMap } from '../common/fields.ts';

export const TRAINING_PHASES = [
  'Suspended',
  'Queued',
  'Pending',
  'Running',
  'Trained',
  'Publishing',
  'Succeeded',
  'Failed',
] as const;

/** Why an attempt ended: what the rule of restarts looks at, whatever the exit code was. */
export const FAILURE_CLASSES = [
  'UserError', // the trainer exited by itself with an error
  'OutOfMemory', // over its own memory limit, or the accelerator's
  'AcceleratorFault', // Xid, ECC, "GPU is lost", UnexpectedAdmissionError of a device
  'Communication', // NCCL, gloo: a peer went away, or the network did
  'Rendezvous', // the pods did not find each other in time
  'Disrupted', // evicted, preempted, drained
  'NodeLost',
  'Stalled', // no progress for failure.stallTimeout
  'AttemptLost', // the Job or its pods were deleted
  'StartFailed', // image, mount or data set that never came
  'DatasetInvalid', // not what its digest says
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export const trainingJobStatusSchema = z.object({
  observedGeneration: observedGeneration(),
  conditions: conditionsField().optional(),
  phase: z
    .enum(TRAINING_PHASES)
    .optional()
    .describe(
      'Suspended: no pod runs, by spec.suspend. Queued: waits for its queue. Pending: no pod runs yet. Running: training. Trained: waits to be asked to publish. Publishing: storing the model.',
    ),
  version: semver().optional().describe('Version this job makes; fixed at its first pass.'),
  attempt: z.int().min(0).meta({ format: 'int32' }).optional().describe('Number of the current attempt, from 0.'),
  restarts: z
    .int()
    .min(0)
    .meta({ format: 'int32' })
    .optional()
    .describe('Attempts that failures of the training cost.'),
  disruptions: z.int().min(0).meta({ format: 'int32' }).optional().describe('Attempts that disruptions cost.'),
  nextAttemptAt: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When the next attempt starts: each failure in a row doubles the wait, 10 s to 5 min.'),
  attemptStartedAt: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When the first pod of the current attempt ran.'),
  gang: z
    .string()
    .max(64)
    .optional()
    .describe(
      'Hash of the pods of the current attempt, once all of them are there: where one is deleted or replaced, the attempt is over for all.',
    ),
  resumedFrom: z
    .string()
    .max(256)
    .optional()
    .describe('Checkpoint that the current attempt began with, as its trainer was told.'),
  attempts: atomicList(
    z.object({
      attempt: z.int().min(0).meta({ format: 'int32' }).describe('Its number.'),
      startedAt: z.string().meta({ format: 'date-time' }).optional().describe('When its first pod ran.'),
      endedAt: z.string().meta({ format: 'date-time' }).describe('When it ended.'),
      class: z.enum(FAILURE_CLASSES).describe('Why it ended.'),
      message: z.string().max(512).describe('The cause in a sentence.'),
      pod: z.string().max(253).optional().describe('Pod that ended it.'),
      node: z.string().max(253).optional().describe('Its node.'),
      exitCode: z.int().meta({ format: 'int32' }).optional().describe('Its exit code.'),
    }),
    16,
  )
    .optional()
    .describe('Attempts that ended badly, newest last.'),
  excludedNodes: mapList(
    z.object({
      name: z.string().max(253).describe('Node.'),
      reason: z.string().max(256).describe('Why.'),
      until: z.string().meta({ format: 'date-time' }).describe('When it may be used again.'),
    }),
    32,
    'name',
  )
    .optional()
    .describe('Nodes that the next attempts leave out.'),
  acceleratorSeconds: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .optional()
    .describe('Accelerators times the seconds that pods held them, over all attempts.'),
  queue: z.string().max(512).optional().describe('Where the job stands in its queue, as Kueue says it.'),
  datasets: mapList(
    z.object({
      name: z.string().max(63).describe('Name of the data set.'),
      digest: digest().describe('What was found and trained on.'),
    }),
    16,
    'name',
  )
    .optional()
    .describe('Data sets as the pods found them.'),
  trials: mapList(
    z.object({
      name: z.string().max(253).describe('TrainingJob of the trial.'),
      parameters: stringMap(8, 256).describe('What it tried.'),
      phase: z.enum(TRAINING_PHASES).optional().describe('Where it stands.'),
      value: z.string().max(24).optional().describe('Its objective.'),
      best: z.boolean().optional().describe('true: the best of those that ended.'),
    }),
    256,
    'name',
  )
    .optional()
    .describe('Trials of a sweep.'),
  startedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the first pod ran.'),
  trainedAt: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When training ended well: what follows is publishing.'),
  finishedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the job succeeded or failed.'),
  progress: z
    .object({
      step: z.int().min(0).meta({ format: 'int64' }).describe('Steps done.'),
      total: z.int().min(0).meta({ format: 'int64' }).optional().describe('Steps in all.'),
      epoch: z.int().min(0).meta({ format: 'int64' }).optional().describe('Passes over the data done.'),
      metrics: stringMap(32, 32).optional().describe('Latest metrics, as decimal strings.'),
      eta: z.string().max(32).optional().describe('Time left as the trainer estimates it.'),
      lastHeartbeat: z.string().meta({ format: 'date-time' }).optional().describe('When the trainer last reported.'),
      source: z
        .enum(['File', 'Post', 'Log'])
        .optional()
        .describe('Where it came from: status/progress.json, a progress POST, or lines of the log.'),
      since: z
        .string()
        .meta({ format: 'date-time' })
        .optional()
        .describe('When step or metrics last changed: what stallTimeout counts from.'),
      percent: z.string().max(8).optional().describe('step of total, e.g. 40%.'),
    })
    .optional()
    .describe('What the trainer last reported.'),
  nodes: z
    .object({
      active: z.int().min(0).meta({ format: 'int32' }).describe('Pods that exist and have not ended.'),
      ready: z.int().min(0).meta({ format: 'int32' }).describe('Pods that are ready.'),
      failed: z.int().min(0).meta({ format: 'int32' }).describe('Pods of this attempt that failed.'),
    })
    .optional()
    .describe('Pods of the current attempt.'),
  placement: z
    .string()
    .max(2048)
    .optional()
    .describe('Why no node takes the pods: the nodes by what keeps them out. Empty once they are placed.'),
  image: z.string().max(1024).optional().describe('Training image as pulled, with its digest.'),
  artifact: z
    .object({ uri: z.string().max(1024).describe('Where the artifact is.'), digest: digest().describe('Its digest.') })
    .optional()
    .describe('The published artifact.'),
  modelVersion: z.string().max(253).optional().describe('Name of the ModelVersion that was created.'),
});
export type TrainingJobStatus = z.output<typeof trainingJobStatusSchema>;
