import * as z from 'zod';
import { type CelRule, cel, matches, onUpdate } from '../common/cel.ts';
import { conditionsField } from '../common/condition.ts';
import {
  atomicList,
  datasetUri,
  decimal,
  digest,
  dnsLabel,
  duration,
  mapList,
  quantity,
  semver,
  semverOrBump,
  storeUri,
  stringMap,
} from '../common/fields.ts';
import {
  acceleratorSchema,
  envField,
  envFromField,
  gangPlacementSchema,
  podTemplateField,
  resourcesSchema,
} from '../common/pods.ts';
import { unchangedFields } from '../common/unchanged.ts';
import { ageColumn, childSafeName, conditionColumn, defineKind } from '../kind.ts';
import { gatesField } from './gates.ts';
import { approvalField, stageField } from './stages.ts';
import { credentials, retentionField } from './stores.ts';

const failureSchema = z
  .object({
    restarts: z
      .int()
      .min(0)
      .max(100)
      .meta({ format: 'int32' })
      .default(0)
      .describe(
        'Attempts after the first that failures of the training itself may cost. Each restarts every pod, from the newest complete checkpoint.',
      ),
    onDisruption: z
      .enum(['Restart', 'Fail'])
      .default('Restart')
      .describe(
        'What follows when pods are evicted, preempted or lose their node. Restart: another attempt, counted under disruptions and not under restarts.',
      ),
    disruptions: z
      .int()
      .min(0)
      .max(1000)
      .meta({ format: 'int32' })
      .default(20)
      .describe('Attempts that disruptions may cost.'),
    stallTimeout: duration()
      .optional()
      .describe(
        'Time without progress, pods running, after which the attempt counts as Stalled and is ended. Needs a trainer that reports progress. Unset: never.',
      ),
    startTimeout: duration()
      .default('10m')
      .describe('Time in which all pods of an attempt must find each other once the first runs; after it: Rendezvous.'),
    deadline: duration()
      .optional()
      .describe('Time from the first start after which the job fails, restarts included (e.g. 6h). Unset: none.'),
    fatalExitCodes: atomicList(z.int().min(1).max(255).meta({ format: 'int32' }), 32)
      .optional()
      .describe('Exit codes that no restart can cure: the job fails at once.'),
    excludeNodes: duration()
      .default('24h')
      .describe(
        'How long a node whose accelerator failed under this job is left out of its next attempts. 0s: never left out.',
      ),
  })
  .describe('What happens when an attempt fails.');

const searched = z
  .object({
    name: z.string().min(1).max(64).describe('Parameter, as in spec.parameters.'),
    values: atomicList(z.string().max(256), 64, 1)
      .optional()
      .describe('Values to try. Exactly one of values and range.'),
    range: z
      .object({
        min: decimal().describe('Least value.'),
        max: decimal().describe('Greatest value.'),
        scale: z.enum(['Linear', 'Log']).default('Linear').describe('How values are drawn: Log for learning rates.'),
        integer: z.boolean().default(false).describe('true: whole numbers only.'),
      })
      .optional()
      .describe('Numbers to draw from. search: Random only.'),
  })
  .describe('One parameter that is searched.');

const sweepSchema = cel(
  z.object({
    search: z
      .enum(['Grid', 'Random'])
      .default('Grid')
      .describe('Grid: every combination of values. Random: drawn by seed.'),
    parameters: mapList(
      cel(searched, {
        rule: 'has(self.values) != has(self.range)',
        message: 'needs exactly one of values and range',
        holds: ({ values, range }) => (values === undefined) !== (range === undefined),
      }),
      8,
      'name',
    ).describe('What is searched; the rest stands in spec.parameters.'),
    trials: z
      .int()
      .min(1)
      .max(256)
      .meta({ format: 'int32' })
      .default(16)
      .describe('Most trials: a Random search makes so many, a Grid that is larger is refused.'),
    parallelism: z.int().min(1).max(64).meta({ format: 'int32' }).default(1).describe('Trials at a time.'),
    seed: z
      .int()
      .min(0)
      .meta({ format: 'int32' })
      .default(0)
      .describe('Seed of a Random search: the same one, the same trials.'),
    objective: z
      .object({
        metric: z.string().min(1).max(64).describe('Metric that trainers report in their progress.'),
        goal: z.enum(['Maximize', 'Minimize']).describe('Which end is best.'),
      })
      .describe('How the best trial is known. Only its model is published.'),
    failedTrials: z
      .int()
      .min(0)
      .max(256)
      .meta({ format: 'int32' })
      .default(0)
      .describe('Trials that may fail before the sweep does.'),
  }),
  {
    rule: "self.search != 'Grid' || self.parameters.all(parameter, has(parameter.values))",
    message: 'a Grid needs values for every parameter: write values, or search: Random',
    holds: ({ search, parameters }) => search !== 'Grid' || parameters.every(({ values }) => values !== undefined),
  },
);

const datasetSchema = z.object({
  name: dnsLabel(40).describe('Folder under /slipway/input.'),
  uri: datasetUri(1024).describe('Where it lies: pvc://<claim>/<path>, s3://<bucket>/<path> or https://<host>/<path>.'),
  digest: digest()
    .optional()
    .describe(
      'What it must hash to, by the rule of artifacts; anything else fails the job. Unset: what was found is recorded in the provenance.',
    ),
  secretRef: credentials(),
});

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
  envFrom: envFromField(),
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
  placement: gangPlacementSchema.optional(),
  queue: dnsLabel(63)
    .optional()
    .describe(
      'LocalQueue of Kueue that admits the attempts: their Jobs carry its label and are made suspended, and Kueue alone starts them.',
    ),
  datasets: mapList(datasetSchema, 16, 'name')
    .optional()
    .describe('Data sets, found under /slipway/input/<name> by every pod, read-only and verified.'),
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
      store: storeUri(512).describe(
        'Where the model goes: pvc://<claim>[/<folder>] of this namespace, s3://<bucket>[/<prefix>] or oci://<registry>/<repository>.',
      ),
      secretRef: credentials(),
      when: z
        .enum(['Trained', 'Asked'])
        .optional()
        .describe(
          'Trained: as soon as training succeeded; so it is unset. Asked: when the annotation slipway.dev/publish is set to the uid of the job.',
        ),
      retention: retentionField(),
      sign: z
        .object({
          secretRef: z
            .object({ name: z.string().max(253).describe('Name of the Secret.') })
            .describe('Secret with a private key in PEM under cosign.key or tls.key.'),
        })
        .optional()
        .describe('Sign the artifact (OpenSSF model signing, a sigstore bundle beside it).'),
    })
    .describe('Where the finished model is stored, content-addressed: <store>/<model>/sha256-<digest>/.'),
  failure: failureSchema.prefault({}),
  gates: gatesField(),
  promotion: z
    .object({
      stage: stageField().describe('Stage that the version is to reach once its gates pass. Unset: Candidate.'),
      approval: approvalField(),
    })
    .optional()
    .describe('Copied into the ModelVersion.'),
  sweep: sweepSchema
    .optional()
    .describe('Search of parameters: a TrainingJob for each trial, and one ModelVersion, of the best.'),
  suspend: z
    .boolean()
    .optional()
    .describe(
      'true: no pod runs; those that do are ended, and training goes on from its newest checkpoint afterwards.',
    ),
  ttlAfterFinished: duration()
    .optional()
    .describe(
      'Time after which a finished job is deleted with its pods and workspace, never its ModelVersion. Unset: kept.',
    ),
  podTemplate: podTemplateField(),
});
/** What is read anew at each pass, and so takes effect in mid-run. The pods were made from the rest. */
const MUTABLE: readonly string[] = ['failure', 'suspend', 'ttlAfterFinished', 'podTemplate'];
const onlyConductChanges = {
  rule: unchangedFields(trainingJobFields, MUTABLE),
  message:
    'only failure, suspend, ttlAfterFinished and podTemplate can change once a TrainingJob exists: create a new one for anything else',
};

export const trainingJobSpecSchema = onUpdate(trainingJobFields, onlyConductChanges);
export type TrainingJobSpec = z.output<typeof trainingJobSpecSchema>;

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
