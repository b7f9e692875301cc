import * as z from 'zod';
import { type CelRule, onUpdate } from '../common/cel.ts';
import { conditionsField } from '../common/condition.ts';
import {
  artifactUri,
  atomicList,
  dateTime,
  digest,
  dnsLabel,
  mapList,
  observedGeneration,
  semver,
  stringMap,
} from '../common/fields.ts';
import { unchangedFields } from '../common/unchanged.ts';
import { ageColumn, conditionColumn, defineKind, type Named } from '../kind.ts';
import { gateStatusSchema, gatesField } from './gates.ts';
import { approvalField, STAGES, stageField } from './stages.ts';
import { credentials, retentionField } from './stores.ts';

const artifactSchema = z
  .object({
    uri: artifactUri(1024).describe(
      'Folder of the artifact: pvc://<claim>/<path> of this namespace, s3://<bucket>/<prefix>, oci://<registry>/<repository>@sha256:<manifest> or https://<host>/<folder>.',
    ),
    digest: digest().describe(
      'sha256 over its files. Verified before gates run and again in every pod that serves it.',
    ),
    format: z.enum(['ONNX']).default('ONNX').describe('Format of the model.'),
    secretRef: credentials(),
    signedBy: z
      .object({
        configMapRef: z
          .object({
            name: z.string().max(253).describe('Name of the ConfigMap.'),
            key: z.string().max(253).default('cosign.pub').describe('Key in it.'),
          })
          .describe('Public key in PEM.'),
      })
      .optional()
      .describe(
        'The artifact must bear a signature (OpenSSF model signing, claims.jsonl or model.sig beside its files) that this key verifies. Unset: a signature is not asked for.',
      ),
  })
  .describe('The model files.');

const provenanceSchema = z
  .object({
    trainingJob: z.string().max(253).optional().describe('TrainingJob that made it.'),
    trainingJobUid: z.string().max(64).optional().describe('Its uid.'),
    source: z
      .object({
        repository: z.string().max(1024).describe('Repository of the training code.'),
        revision: z.string().max(128).describe('Commit.'),
      })
      .optional()
      .describe('Training code.'),
    image: z.string().max(1024).optional().describe('Training image as pulled, with its digest.'),
    parameters: stringMap(100, 4096).optional().describe('Parameters of the run.'),
    datasets: mapList(
      z.object({
        name: z.string().max(63).describe('Name of the data set.'),
        uri: z.string().max(1024).describe('Where it lay.'),
        digest: digest().optional().describe('What it hashed to.'),
      }),
      16,
      'name',
    )
      .optional()
      .describe('Data it was trained on.'),
    parent: z.string().max(253).optional().describe('ModelVersion that it was retrained to follow.'),
    trigger: z.string().max(512).optional().describe('Why it was trained, if no person asked for it.'),
    attempt: z.int().min(0).meta({ format: 'int32' }).optional().describe('Attempt that succeeded.'),
    nodes: z.int().min(1).meta({ format: 'int32' }).optional().describe('Pods that trained together.'),
    accelerator: z.string().max(253).optional().describe('Accelerators of each, such as 4 x nvidia.com/gpu.'),
    startedAt: z.string().meta({ format: 'date-time' }).optional().describe('Start of training.'),
    finishedAt: z.string().meta({ format: 'date-time' }).optional().describe('End of training.'),
  })
  .describe('Where the version comes from.');

const approvalSchema = z.object({
  stage: z.enum(['Staging', 'Production']).describe('Stage that is approved.'),
  by: z.string().min(1).max(256).describe('Who approves: must be the name that the API server knows the requester by.'),
  digest: digest().describe('Artifact digest that is approved.'),
  at: dateTime().describe('When.'),
  comment: z.string().max(1024).optional().describe('Why.'),
});

const KEPT_FOR_GOOD = 'approvals are never changed or taken back: add yours, and archive the version to withdraw it';

const modelVersionFields = z.object({
  model: dnsLabel(40).describe('Name of the model.'),
  version: semver().describe('Version of the model, e.g. 1.4.0.'),
  artifact: artifactSchema,
  provenance: provenanceSchema.optional(),
  gates: gatesField(),
  retention: retentionField(),
  approval: approvalField(),
  stage: stageField().describe(
    'Stage it is to be in; unset: Candidate. It gets there (status.stage) when it is verified, its gates pass and the approvals are there; Archived takes it out of service for new rollouts.',
  ),
  approvals: onUpdate(mapList(approvalSchema, 64, 'stage', 'by'), {
    rule: 'oldSelf.all(old, self.exists(now, now == old))',
    message: KEPT_FOR_GOOD,
  })
    .optional()
    .describe('Who approved which stage; kubectl slipway approve adds one. Append-only.'),
});

/** A version is a promise of content: what people may say of it afterwards is where it stands. */
const CHANGEABLE: readonly string[] = ['stage', 'approvals'];
const contentIsFixed = {
  rule: unchangedFields(modelVersionFields, CHANGEABLE),
  message: 'only stage and approvals of a ModelVersion change: create one with a new version instead',
};

/** A rule of a list is not asked when the list goes as a whole. */
const approvalsStay = {
  rule: '!has(oldSelf.approvals) || has(self.approvals)',
  message: KEPT_FOR_GOOD,
};

export const modelVersionSpecSchema = onUpdate(modelVersionFields, contentIsFixed, approvalsStay);
export type ModelVersionSpec = z.output<typeof modelVersionSpecSchema>;

const tensorStatus = z.object({
  name: z.string().max(256).describe('Tensor name.'),
  datatype: z.string().max(16).describe('Open Inference Protocol datatype.'),
  shape: atomicList(z.int().meta({ format: 'int64' }), 8).describe('Shape; -1 is chosen by the caller.'),
});

/** What a sink of notifications is told of versions. */
export const VERSION_NOTIFICATIONS = [
  'versionInStaging',
  'versionInProduction',
  'versionArchived',
  'versionAwaitingApproval',
] as const;
export type VersionNotification = (typeof VERSION_NOTIFICATIONS)[number];

export const modelVersionStatusSchema = z.object({
  observedGeneration: observedGeneration(),
  conditions: conditionsField().optional(),
  signature: z
    .object({
      inputs: mapList(tensorStatus, 64, 'name').describe('Input tensors.'),
      outputs: mapList(tensorStatus, 64, 'name').describe('Output tensors.'),
    })
    .optional()
    .describe('Inputs and outputs of the model.'),
  gates: mapList(gateStatusSchema, 32, 'name').optional().describe('Result of each gate.'),
  files: z.int().min(0).meta({ format: 'int32' }).optional().describe('Files of the artifact.'),
  bytes: z.int().min(0).meta({ format: 'int64' }).optional().describe('Size of the artifact.'),
  verifiedFor: z
    .string()
    .max(63)
    .optional()
    .describe('Value of the annotation slipway.dev/verify that the last verification answered.'),
  verifier: z
    .string()
    .max(64)
    .optional()
    .describe('uid of the Job that the operator made to verify it: the only one whose report it reads.'),
  stage: z.enum(STAGES).optional().describe('Stage it has reached.'),
  current: z
    .boolean()
    .optional()
    .describe(
      'true: of the versions in Production the one that came there last, which services with follow: Production serve.',
    ),
  reports: z
    .object({
      uri: z
        .string()
        .max(1024)
        .describe('Folder of card.html, card.md, report.json, mlbom.cdx.json and provenance.intoto.json.'),
      digest: digest().describe('sha256 of report.json.'),
    })
    .optional()
    .describe('What the gates measured, beside the artifact.'),
  deletedAt: z
    .string()
    .meta({ format: 'date-time' })
    .optional()
    .describe('When retention deleted its files. The card and the provenance stay.'),
  history: atomicList(
    z.object({
      from: z.string().max(32).describe('Stage left; empty: none.'),
      to: z.string().max(32).describe('Stage entered.'),
      at: z.string().meta({ format: 'date-time' }).describe('When.'),
      by: z.string().max(256).optional().describe('Who approved it, or asked for it.'),
      reason: z.string().max(64).describe('Why.'),
      message: z.string().max(512).describe('The sentence behind it.'),
      previousHash: z.string().max(64).describe('hash of the entry before; empty: the first.'),
      hash: z.string().max(64).describe('SHA-256 of this entry without hash, as canonical JSON.'),
    }),
    32,
  )
    .optional()
    .describe('Stages it went through, newest last, each entry holding the hash of the one before.'),
  notified: z
    .string()
    .max(64)
    .optional()
    .describe('hash of the newest entry of history that the sink of notifications took.'),
  notifiedApproval: z
    .string()
    .max(64)
    .optional()
    .describe('Stage and time of the wait for approval that it was told of last.'),
  everServed: z.boolean().optional().describe('true: it was stable in some service once; retention keeps it.'),
  servedBy: atomicList(z.string().max(253), 64)
    .optional()
    .describe('InferenceServices that serve it as stable or candidate.'),
  servedByNames: z.string().max(256).optional().describe('The first of servedBy as one text, for kubectl get.'),
  rejectedBy: atomicList(z.string().max(253), 64).optional().describe('InferenceServices that rolled it back.'),
});
export type ModelVersionStatus = z.output<typeof modelVersionStatusSchema>;

/** The name is how an InferenceService finds its version; any other name would never be found. */
const namedAfterVersion: CelRule<Named<{ model: string; version: string }>> = {
  rule: "self.metadata.name == self.spec.model + '-' + self.spec.version",
  message: 'metadata.name must be <spec.model>-<spec.version>, such as flights-1.4.0',
  holds: ({ metadata, spec }) => metadata.name === `${spec.model}-${spec.version}`,
};

export const modelVersionKind = defineKind({
  kind: 'ModelVersion',
  plural: 'modelversions',
  shortName: 'mv',
  description:
    'One version of a model: where its files are, what they hash to, where they come from and which gates they pass. Only a Ready version is ever served.',
  spec: modelVersionSpecSchema,
  status: modelVersionStatusSchema,
  rules: [namedAfterVersion],
  columns: [
    { name: 'Model', type: 'string', jsonPath: '.spec.model', description: 'Name of the model.' },
    { name: 'Version', type: 'string', jsonPath: '.spec.version', description: 'Version of the model.' },
    conditionColumn('Ready', 'Ready', 'status', 'Whether it may be served.'),
    conditionColumn('Reason', 'Ready', 'reason', 'Why it is ready or not.'),
    { name: 'Stage', type: 'string', jsonPath: '.status.stage', description: 'Stage it has reached.' },
    { name: 'ServedBy', type: 'string', jsonPath: '.status.servedByNames', description: 'Who serves it.' },
    {
      name: 'TrainingJob',
      type: 'string',
      jsonPath: '.spec.provenance.trainingJob',
      description: 'TrainingJob that made it.',
      priority: 1,
    },
    { name: 'Digest', type: 'string', jsonPath: '.spec.artifact.digest', description: 'Its digest.', priority: 1 },
    conditionColumn('Message', 'Ready', 'message', 'Why, in a sentence.'),
    ageColumn,
  ],
});
