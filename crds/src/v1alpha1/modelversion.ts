import * as z from 'zod';
import { type CelRule, onUpdate } from '../common/cel.ts';
import { conditionsField } from '../common/condition.ts';
import { atomicList, digest, dnsLabel, mapList, pvcUri, semver, stringMap } from '../common/fields.ts';
import { ageColumn, conditionColumn, defineKind, type Named } from '../kind.ts';
import { gateStatusSchema, gatesField } from './gates.ts';

export const modelVersionSpecSchema = onUpdate(
  z.object({
    model: dnsLabel(40).describe('Name of the model.'),
    version: semver().describe('Version of the model, e.g. 1.4.0.'),
    artifact: z
      .object({
        uri: pvcUri(1024, 'required').describe(
          'Folder of the artifact: pvc://<claim>/<path>, a PersistentVolumeClaim of this namespace.',
        ),
        digest: digest().describe(
          'sha256 over its files. Verified before gates run and again in every pod that serves it.',
        ),
        format: z.enum(['ONNX']).default('ONNX').describe('Format of the model.'),
      })
      .describe('The model files.'),
    provenance: z
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
        startedAt: z.string().meta({ format: 'date-time' }).optional().describe('Start of training.'),
        finishedAt: z.string().meta({ format: 'date-time' }).optional().describe('End of training.'),
      })
      .optional()
      .describe('Where the version comes from.'),
    gates: gatesField(),
  }),
  { rule: 'self == oldSelf', message: 'a ModelVersion never changes: create one with a new version instead' },
);
export type ModelVersionSpec = z.output<typeof modelVersionSpecSchema>;

const tensorStatus = z.object({
  name: z.string().max(256).describe('Tensor name.'),
  datatype: z.string().max(16).describe('Open Inference Protocol datatype.'),
  shape: atomicList(z.int().meta({ format: 'int64' }), 8).describe('Shape; -1 is chosen by the caller.'),
});

export const modelVersionStatusSchema = z.object({
  observedGeneration: z
    .int()
    .min(0)
    .meta({ format: 'int64' })
    .optional()
    .describe('metadata.generation this status is for.'),
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
