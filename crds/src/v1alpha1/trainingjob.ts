import * as z from 'zod';
import { type CelRule, cel, matches, onUpdate } from '../common/cel.ts';
import {
  atomicList,
  datasetUri,
  digest,
  dnsLabel,
  duration,
  mapList,
  quantity,
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
import { sweepSchema } from './sweep.ts';
import { failureSchema } from './trainingFailure.ts';
import { trainingJobStatusSchema } from './trainingjobStatus.ts';

/** Data that may change under the same address makes a training that nobody can repeat: who wants it says so. */
const pinnedOrNot: CelRule<{ digest?: string | undefined; unpinned?: boolean | undefined }> = {
  rule: 'has(self.digest) != (has(self.unpinned) && self.unpinned)',
  message:
    'needs either digest, what it must hash to, or unpinned: true where it may change: what was found is then recorded in the provenance',
  holds: (self) => (self.digest !== undefined) !== (self.unpinned === true),
};

const datasetSchema = cel(
  z.object({
    name: dnsLabel(40).describe('Folder under /slipway/input.'),
    uri: datasetUri(1024).describe(
      'Where it lies: pvc://<claim>/<path>, s3://<bucket>/<path> or https://<host>/<path>.',
    ),
    digest: digest()
      .optional()
      .describe('What it must hash to, by the rule of artifacts; anything else fails the job.'),
    unpinned: z
      .boolean()
      .optional()
      .describe(
        'true: it may be another at each training, as the newest rows are. What was found is recorded in the provenance. Default false: digest is needed.',
      ),
    secretRef: credentials(),
  }),
  pinnedOrNot,
);

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
  queuePriority: dnsLabel(63)
    .optional()
    .describe(
      'WorkloadPriorityClass of Kueue by which the attempts wait in `queue` and may preempt others there. Unset: the priority of placement.priorityClassName.',
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
            .describe(
              'Secret with a private key in PEM (ECDSA) under cosign.key or tls.key, its passphrase, if any, under cosign.password.',
            ),
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

const priorityInQueue: CelRule<z.output<typeof trainingJobFields>> = {
  rule: '!has(self.queuePriority) || has(self.queue)',
  message: 'queuePriority is a priority in a queue of Kueue: name the LocalQueue in queue, or leave queuePriority out',
  holds: ({ queue, queuePriority }) => queuePriority === undefined || queue !== undefined,
};

export const trainingJobSpecSchema = onUpdate(cel(trainingJobFields, priorityInQueue), onlyConductChanges);
export type TrainingJobSpec = z.output<typeof trainingJobSpecSchema>;

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
