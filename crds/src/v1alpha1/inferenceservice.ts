import * as z from 'zod';
import { type CelRule, cel, onUpdate } from '../common/cel.ts';
import { atomicList, dateTime, digest, dnsLabel, httpUrl, mapList, semver } from '../common/fields.ts';
import { ageColumn, childSafeName, conditionColumn, defineKind } from '../kind.ts';
import { driftSchema } from './drift.ts';
import { inferenceServiceStatusSchema } from './inferenceserviceStatus.ts';
import { predictorSchema } from './predictor.ts';
import { retrainSchema } from './retrain.ts';
import { rolloutSchema } from './rollout.ts';
import { trafficSchema } from './traffic.ts';

/** Types of CloudEvents, after the prefix dev.slipway. */
export const NOTIFICATIONS = ['rolloutStarted', 'promoted', 'rolledBack', 'awaitingApproval', 'held', 'drift'] as const;
export type NotificationType = (typeof NOTIFICATIONS)[number];

/** Another model's answers mean something else: that is another service, with its own route and history. */
const sameModel = {
  rule: 'self == oldSelf',
  message: 'the model of an InferenceService never changes: create another one for another model',
};

const approvalSchema = z.object({
  rolloutID: z.string().max(32).describe('status.rolloutID of the rollout that is approved.'),
  step: z
    .int()
    .min(0)
    .max(31)
    .meta({ format: 'int32' })
    .describe('Index of the approval step, from 0. No other step passes by it.'),
  digest: digest().describe('Artifact digest that is approved; the approval counts for nothing else.'),
  by: z.string().min(1).max(256).describe('Who approves: must be the name that the API server knows the requester by.'),
  at: dateTime().describe('When.'),
  comment: z.string().max(1024).optional().describe('Why.'),
});

const notifySchema = z
  .object({
    sink: httpUrl().describe('Address that gets CloudEvents by POST, structured mode, each at least once.'),
    events: atomicList(z.enum(NOTIFICATIONS), 8, 1).optional().describe('What is told. Unset: all of it.'),
  })
  .describe('Who else is told of decisions. Kubernetes Events are always written.');

/** Old approvals may be dropped all at once, as a manifest from Git without them does, and never rewritten. */
const approvalsOnlyGrow = {
  rule: 'self.all(now, oldSelf.all(old, old.rolloutID != now.rolloutID || old.step != now.step || old.by != now.by || old == now))',
  message: 'an approval is never changed: add another one',
};

interface Whole {
  traffic: { provider: string };
  rollout: { steps: readonly { preview?: boolean | undefined }[]; surge: string };
}

const previews = ({ rollout }: Whole): boolean => rollout.steps.some(({ preview }) => preview !== undefined);

/** The server tries rules on bare defaults as well, before it fills them in. */
const noPreviewUnless = (bad: string, holds: (self: Whole) => boolean, message: string): CelRule<Whole> => ({
  rule: `!(${bad}) || !self.rollout.steps.exists(step, has(step.preview))`,
  message,
  holds: (self) => holds(self) || !previews(self),
});

const previewByHeader = noPreviewUnless(
  "has(self.traffic.provider) && self.traffic.provider == 'Replicas'",
  ({ traffic }) => traffic.provider !== 'Replicas',
  'a preview step needs a route by header: leave the step out, or write traffic.provider: Gateway',
);

const previewBeside = noPreviewUnless(
  "has(self.rollout.surge) && self.rollout.surge == 'Never'",
  ({ rollout }) => rollout.surge !== 'Never',
  'a preview step needs all pods of the candidate beside those of the stable version: leave the step out, or write rollout.surge: Auto',
);

const modelSchema = cel(
  z.object({
    name: onUpdate(dnsLabel(40), sameModel).describe('Name of the model.'),
    version: semver()
      .optional()
      .describe(
        'Version to serve: the ModelVersion <name>-<version> of this namespace. Exactly one of version and follow.',
      ),
    follow: z
      .enum(['Production'])
      .optional()
      .describe(
        'Production: the version of this model that reached Production last; a rollout starts when that changes. Exactly one of version and follow.',
      ),
  }),
  {
    rule: 'has(self.version) != has(self.follow)',
    message: 'needs exactly one of version, such as 1.4.0, and follow: Production',
    holds: ({ version, follow }) => (version === undefined) !== (follow === undefined),
  },
).describe('What to serve.');

export const inferenceServiceSpecSchema = cel(
  z.object({
    model: modelSchema,
    predictor: predictorSchema.prefault({}),
    traffic: trafficSchema.prefault({}),
    rollout: rolloutSchema.prefault({}),
    approvals: onUpdate(mapList(approvalSchema, 64, 'rolloutID', 'step', 'by'), approvalsOnlyGrow)
      .optional()
      .describe('Approval steps that people let pass; kubectl slipway approve adds one. Append-only.'),
    drift: driftSchema.optional(),
    retrain: retrainSchema.optional(),
    notify: notifySchema.optional(),
  }),
  previewByHeader,
  previewBeside,
);
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
