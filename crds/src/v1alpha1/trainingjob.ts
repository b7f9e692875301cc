import * as z from 'zod';
import { type CelRule, cel, matches, onUpdate } from '../common/cel.ts';
import { conditionsField } from '../common/condition.ts';
import {
  atomicList,
  digest,
  dnsLabel,
  duration,
  pvcUri,
  quantity,
  semver,
  semverOrBump,
  stringMap,
} from '../common/fields.ts';
import { acceleratorSchema, envField, placementSchema, resourcesSchema } from '../common/pods.ts';
import { ageColumn, childSafeName, conditionColumn, defineKind } from '../kind.ts';
import { gatesField } from './gates.ts';

const failureSchema = z
  .object({
    restarts: z
      .int()
      .min(0)
      .max(100)
      .meta({ format: 'int32' })
      .default(0)
      .describe('Attempts after the first. Each restarts every pod.'),
    deadline: duration()
      .optional()
      .describe('Time from the first start after which the job fails, restarts included (e.g. 6h). Unset: none.'),
    fatalExitCodes: atomicList(z.int().min(1).max(255).meta({ format: 'int32' }), 32)
      .optional()
      .describe('Exit codes that no restart can cure: the job fails at once.'),
  })
  .describe('What happens when an attempt fails.');

const countOrAuto: CelRule<number | string> = {
  rule: "type(self) == int ? self >= 1 && self <= 64 : self == 'Auto'",
  message: 'must be Auto or a number from 1 to 64',
  holds: (self) => (typeof self === 'number' ? self >= 1 && self <= 64 : self === 'Auto'),
};

const PARAMETER = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** Each becomes the tail of an environment variable's name. */
const parameterNames: CelRule<Record<string, string>> = {
  rule: `self.all(name, ${matches(PARAMETER, '').rule.replace('self', 'name')})`,
  message: 'names must start with a letter and hold letters, digits and . _ - only, such as learning-rate',
  holds: (self) => Object.keys(self).every((name) => PARAMETER.test(name)),
};

const trainingJobFields = z.object({
  model: z
    .object({
      name: dnsLabel(40).describe('Model that the job trains a version of.'),
      version: semverOrBump()
        .default('NextMinor')
        .describe(
          'Version to create, e.g. 1.4.0, or NextMajor, NextMinor, NextPatch over the newest version of that model in this namespace.',
        ),
    })
    .describe('The ModelVersion to create, named <name>-<version>.'),
  image: z
    .string()
    .min(1)
    .max(512)
    .describe('Training image. It writes its result under /slipway/output; see the training contract.'),
  command: atomicList(z.string().max(4096), 64).optional().describe('Entrypoint. Unset: that of the image.'),
  args: atomicList(z.string().max(4096), 256).optional().describe('Arguments of the entrypoint.'),
  env: envField(),
  nodes: z
    .int()
    .min(1)
    .max(1000)
    .meta({ format: 'int32' })
    .default(1)
    .describe('Pods that train together. Pod 0 is the rendezvous master and writes the output.'),
  processesPerNode: cel(z.union([z.int(), z.string()]).meta({ 'x-kubernetes-int-or-string': true }), countOrAuto)
    .default('Auto')
    .describe('Worker processes per pod: a number, or Auto (one per accelerator, else 1). Sets PET_NPROC_PER_NODE.'),
  resources: resourcesSchema.optional(),
  accelerator: acceleratorSchema.optional(),
  placement: placementSchema.optional(),
  source: z
    .object({
      repository: z.string().min(1).max(1024).describe('Repository of the training code.'),
      revision: z.string().min(1).max(128).describe('Commit that the image was built from.'),
    })
    .optional()
    .describe('Where the training code comes from. Recorded in the provenance of the version.'),
  parameters: cel(stringMap(100, 4096), parameterNames)
    .optional()
    .describe(
      'Parameters of the run: SLIPWAY_PARAM_<NAME> (upper case, - and . become _) and /slipway/parameters/parameters.json.',
    ),
  workspace: z
    .object({
      claim: z
        .object({
          size: quantity().default('1Gi').describe('Size of the claim.'),
          storageClass: z.string().max(253).optional().describe('StorageClass of the claim. Unset: the default class.'),
          accessMode: z
            .enum(['ReadWriteOnce', 'ReadWriteMany'])
            .optional()
            .describe(
              'Access mode of the claim. Unset: ReadWriteOnce for one node, ReadWriteMany for several. Pods that land on one machine can share a ReadWriteOnce claim.',
            ),
        })
        .prefault({})
        .describe('Claim made for this job; deleted with it.'),
    })
    .prefault({})
    .describe('Volume for checkpoints and output. Survives restarts.'),
  publish: z
    .object({
      store: pvcUri(512, 'optional').describe(
        'Where the model goes: pvc://<claim>[/<folder>], a PersistentVolumeClaim of this namespace.',
      ),
    })
    .describe('Where the finished model is stored, content-addressed: <store>/<model>/sha256-<digest>/.'),
  failure: failureSchema.prefault({}),
  gates: gatesField(),
});
/** CEL for "this field is as it was". `self.?x == oldSelf.?x` would say it too, but the server can't bound its cost. */
const unchanged = ([name, field]: readonly [string, z.ZodType]): string =>
  field instanceof z.ZodOptional
    ? `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`
    : `self.${name} == oldSelf.${name}`;

/** The pods were made from the rest. The budgets of `failure` are read at each failure, so they may change in mid-run. */
const onlyFailureChanges = {
  rule: Object.entries(trainingJobFields.shape)
    .filter(([name]) => name !== 'failure')
    .map(unchanged)
    .join(' && '),
  message: 'only failure can change once a TrainingJob exists: create a new one for anything else',
};

export const trainingJobSpecSchema = onUpdate(trainingJobFields, onlyFailureChanges);
export type TrainingJobSpec = z.output<typeof trainingJobSpecSchema>;

export const TRAINING_PHASES = ['Pending', 'Running', 'Publishing', 'Succeeded', 'Failed'] as const;

export const trainingJobStatusSchema = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .optional()
    .describe('metadata.generation this status is for.'),
  conditions: conditionsField().optional(),
  phase: z
    .enum(TRAINING_PHASES)
    .optional()
    .describe('Pending: no pod runs yet. Running: training. Publishing: storing the model.'),
  version: semver().optional().describe('Version this job makes; fixed at its first pass.'),
  attempt: z.int().min(0).meta({ format: 'int32' }).optional().describe('Number of the current attempt, from 0.'),
  restarts: z.int().min(0).meta({ format: 'int32' }).optional().describe('Attempts started after the first.'),
  startedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the first pod ran.'),
  finishedAt: z.string().meta({ format: 'date-time' }).optional().describe('When the job succeeded or failed.'),
  progress: z
    .object({
      step: z.int().min(0).meta({ format: 'int64' }).describe('Steps done.'),
      total: z.int().min(0).meta({ format: 'int64' }).optional().describe('Steps in all.'),
      epoch: z.int().min(0).meta({ format: 'int64' }).optional().describe('Passes over the data done.'),
      metrics: stringMap(32, 32).optional().describe('Latest metrics, as decimal strings.'),
      eta: z.string().max(32).optional().describe('Time left as the trainer estimates it.'),
      lastHeartbeat: z.string().meta({ format: 'date-time' }).optional().describe('When the trainer last reported.'),
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
    .describe('Why no node takes the pods, as the scheduler says it. Empty once they are placed.'),
  image: z.string().max(1024).optional().describe('Training image as pulled, with its digest.'),
  artifact: z
    .object({ uri: z.string().max(1024).describe('Where the artifact is.'), digest: digest().describe('Its digest.') })
    .optional()
    .describe('The published artifact.'),
  modelVersion: z.string().max(253).optional().describe('Name of the ModelVersion that was created.'),
});
export type TrainingJobStatus = z.output<typeof trainingJobStatusSchema>;

export const trainingJobKind = defineKind({
  kind: 'TrainingJob',
  plural: 'trainingjobs',
  shortName: 'tj',
  description: 'One training run: pods that train together, and the ModelVersion that their output becomes.',
  spec: trainingJobSpecSchema,
  status: trainingJobStatusSchema,
  rules: [childSafeName],
  columns: [
    { name: 'Model', type: 'string', jsonPath: '.spec.model.name', description: 'Model it trains.' },
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Version it makes.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'Where the run stands.' },
    {
      name: 'Progress',
      type: 'string',
      jsonPath: '.status.progress.percent',
      description: 'Steps done, as the trainer reports.',
    },
    conditionColumn('Reason', 'Ready', 'reason', 'Why it is ready or not.'),
    { name: 'Restarts', type: 'integer', jsonPath: '.status.restarts', description: 'Attempts after the first.' },
    conditionColumn('Message', 'Ready', 'message', 'Why, in a sentence.'),
    ageColumn,
  ],
});
