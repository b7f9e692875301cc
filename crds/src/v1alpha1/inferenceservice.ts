import * as z from 'zod';
import { cel, matches, onUpdate } from '../common/cel.ts';
import { atomicList, dnsLabel, semver } from '../common/fields.ts';
import { ageColumn, childSafeName, conditionColumn, defineKind } from '../kind.ts';
import { inferenceServiceStatusSchema } from './inferenceserviceStatus.ts';
import { predictorSchema } from './predictor.ts';
import { rolloutSchema } from './rollout.ts';

/** Another model's answers mean something else: that is another service, with its own route and history. */
const sameModel = {
  rule: 'self == oldSelf',
  message: 'the model of an InferenceService never changes: create another one for another model',
};

const hostname = () =>
  cel(
    z.string().max(253),
    matches(
      /^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
      'must be a lower-case host name without scheme, port or path, such as flights.example.com or *.example.com',
    ),
  );

const pathPrefix = () =>
  cel(
    z.string().max(256),
    matches(/^\/[A-Za-z0-9._~/-]*$/, 'must start with / and hold letters, digits and . _ ~ - / only, such as /flights'),
  );

const trafficSchema = z
  .object({
    gateway: z
      .object({
        name: z.string().max(253).describe('Name of the Gateway.'),
        namespace: z.string().max(63).optional().describe('Its namespace. Unset: that of this object.'),
      })
      .optional()
      .describe('Gateway that the route attaches to. Unset: the default of the operator.'),
    hostnames: atomicList(hostname(), 16)
      .optional()
      .describe('Hosts that the route answers. Unset: every host of the Gateway.'),
    pathPrefix: pathPrefix()
      .default('/')
      .describe('Path prefix that the route answers; removed before the model server sees the request.'),
  })
  .describe('How requests reach the service.');

export const inferenceServiceSpecSchema = z.object({
  model: z
    .object({
      name: onUpdate(dnsLabel(40), sameModel).describe('Name of the model.'),
      version: semver().describe('Version to serve: the ModelVersion <name>-<version> of this namespace.'),
    })
    .describe('What to serve.'),
  predictor: predictorSchema.prefault({}),
  traffic: trafficSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
});
export type InferenceServiceSpec = z.output<typeof inferenceServiceSpecSchema>;

export const inferenceServiceKind = defineKind({
  kind: 'InferenceService',
  plural: 'inferenceservices',
  shortName: 'infs',
  description:
    'A model version behind a route. A change of version goes through the rollout; Ready says that the stable version answers, RolloutComplete that the desired version is it.',
  spec: inferenceServiceSpecSchema,
  status: inferenceServiceStatusSchema,
  rules: [childSafeName],
  columns: [
    { name: 'Model', type: 'string', jsonPath: '.spec.model.name', description: 'Name of the model.' },
    conditionColumn('Ready', 'Ready', 'status', 'Whether the stable version answers.'),
    { name: 'Stable', type: 'string', jsonPath: '.status.stable.version', description: 'Version that answers.' },
    {
      name: 'Candidate',
      type: 'string',
      jsonPath: '.status.candidate.version',
      description: 'Version being rolled out.',
    },
    { name: 'Weight', type: 'integer', jsonPath: '.status.candidate.weight', description: "The candidate's percent." },
    conditionColumn('Rollout', 'RolloutComplete', 'reason', 'Where the rollout stands.'),
    { name: 'URL', type: 'string', jsonPath: '.status.url', description: 'Where to send requests.', priority: 1 },
    conditionColumn('Message', 'RolloutComplete', 'message', 'Why the rollout stands where it does.'),
    ageColumn,
  ],
});
