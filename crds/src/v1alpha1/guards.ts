import * as z from 'zod';
import { type CelRule, cel, matches } from '../common/cel.ts';
import { atomicList, dnsLabel, duration, effect, httpUrl, mapList, percent, tolerance } from '../common/fields.ts';
import { resourcesSchema } from '../common/pods.ts';
import { LATENCY_BOUNDS_MS } from '../evidence.ts';

export const GUARD_KINDS = [
  'errors',
  'latency',
  'disagreement',
  'predictionShift',
  'invalidOutputs',
  'accuracy',
  'prometheus',
  'job',
] as const;
export type GuardKind = (typeof GUARD_KINDS)[number];

const oneKind: CelRule<object> = {
  rule: `[${GUARD_KINDS.map((kind) => `has(self.${kind})`).join(', ')}].filter(is, is).size() == 1`,
  message: `a guard asks one question: write exactly one of ${GUARD_KINDS.join(', ')}, and another guard for another`,
  holds: (guard) => GUARD_KINDS.filter((kind) => (guard as Record<string, unknown>)[kind] !== undefined).length === 1,
};

const limitOrMargin = (limit: 'max' | 'min'): CelRule<object> => ({
  rule: `has(self.${limit}) || has(self.worseBy)`,
  message: `needs ${limit} (a limit of its own), worseBy (a margin against the stable version), or both`,
  holds: (self) => limit in self || 'worseBy' in self,
});

const bounds = LATENCY_BOUNDS_MS.map(String);
const threshold = () =>
  cel(
    z.string().max(8),
    matches(
      RegExp(`^(${bounds.map((bound) => bound.replace('.', '\\.')).join('|')})ms$`),
      `must be one of the bounds that the model server counts by: ${bounds.map((bound) => `${bound}ms`).join(', ')}`,
    ),
  );

const errors = cel(
  z.object({
    max: percent().optional().describe('Share of candidate requests that may end in a server error (5xx).'),
    worseBy: percent()
      .optional()
      .describe('How much higher than the stable version its error share may be, in percentage points.'),
  }),
  limitOrMargin('max'),
).describe('Server errors of the candidate, of all its requests.');

const latency = z
  .object({
    threshold: threshold().describe(
      'Milliseconds from the last byte of a request to its answer; one of the bounds of the latency histogram, such as 60ms.',
    ),
    quantile: z
      .int()
      .min(50)
      .max(99)
      .meta({ format: 'int32' })
      .default(95)
      .describe(
        'Percent of requests that must be answered within the threshold: 95 asks for p95 below it, so that at most 5% may be slower.',
      ),
    worseBy: percent()
      .optional()
      .describe(
        'Instead of the quantile as a limit of its own: how much higher than the stable version the share of slow answers may be, in percentage points.',
      ),
  })
  .describe("Share of the candidate's served requests that took longer than a threshold.");

const predictionShift = z
  .object({
    psi: effect()
      .default('0.2')
      .describe(
        "Population stability index, candidate's predictions against the stable version's over the same time, from which a shift counts. 0.1 is small, 0.25 large.",
      ),
  })
  .describe('Distribution of predictions. Needs a baseline.json in the artifact: it has the bins.');

const accuracy = cel(
  z.object({
    min: percent().optional().describe('Share of labelled answers that must be right.'),
    worseBy: percent()
      .optional()
      .describe('How much lower than the stable version its share of right answers may be, in percentage points.'),
  }),
  limitOrMargin('min'),
).describe(
  'Late labels, posted to /slipway/v1/feedback, against the answers they belong to. As they come late, it waits for them only in the bake; before that it acts when it fails, and holds nothing up.',
);

interface Query {
  bad?: string | undefined;
  total?: string | undefined;
  value?: string | undefined;
  max?: string | undefined;
  min?: string | undefined;
}

const ratesOrValue: CelRule<Query> = {
  rule: 'has(self.value) ? !has(self.bad) && !has(self.total) : has(self.bad) && has(self.total)',
  message: 'write bad and total (counts, judged as a rate with an interval) or value (a plain number), not both',
  holds: ({ bad, total, value }) =>
    value === undefined ? bad !== undefined && total !== undefined : bad === undefined && total === undefined,
};
const queryLimit: CelRule<Query> = {
  rule: "has(self.value) ? (has(self.max) || has(self.min)) && !(has(self.max) && self.max.endsWith('%')) && !(has(self.min) && self.min.endsWith('%')) : has(self.max) && self.max.endsWith('%') && !has(self.min)",
  message: 'value needs max, min or both as plain numbers; bad and total need max as a percentage, such as "3%"',
  holds: ({ value, max, min }) =>
    value === undefined
      ? max?.endsWith('%') === true && min === undefined
      : (max !== undefined || min !== undefined) && ![max, min].some((limit) => limit?.endsWith('%')),
};

/** A setting that has a default can't be told from one that is left out, so only another value than that is refused. */
const onlyWith = <T extends object>(
  field: keyof T & string,
  byDefault: string | number,
  rule: string,
  holds: (self: T) => boolean,
  words: string,
): CelRule<T> => ({
  rule: `!has(self.${field}) || self.${field} == ${typeof byDefault === 'number' ? byDefault : `'${byDefault}'`} || ${rule}`,
  message: `${field} goes with ${words}: leave it out`,
  holds: (self) => self[field] === byDefault || holds(self),
});

const failuresWithValue = onlyWith<Query & { failures: number }>(
  'failures',
  3,
  'has(self.value)',
  ({ value }) => value !== undefined,
  'value',
);

const disagreement = cel(
  z.object({
    max: percent().describe('Share of compared answers that may differ from those of the stable version.'),
    compare: z
      .enum(['argmax', 'tolerance', 'topK'])
      .optional()
      .describe(
        'argmax: the class with the highest score. tolerance: each number, up to tolerance. topK: the k best classes. Unset: argmax where the answer has classes, else tolerance.',
      ),
    tolerance: tolerance()
      .default('1e-3')
      .describe('Largest difference that counts as equal, absolute plus relative. Only with compare: tolerance.'),
    k: z.int().min(1).max(1000).meta({ format: 'int32' }).default(5).describe('Classes that topK compares.'),
    segment: z
      .string()
      .max(256)
      .optional()
      .describe(
        'Name of a categorical feature to count by as well. The guard then also fails when one segment alone is beyond max.',
      ),
  }),
  onlyWith(
    'tolerance',
    '1e-3',
    "!has(self.compare) || self.compare == 'tolerance'",
    ({ compare }) => compare === undefined || compare === 'tolerance',
    'compare: tolerance',
  ),
  onlyWith(
    'k',
    5,
    "(has(self.compare) && self.compare == 'topK')",
    ({ compare }) => compare === 'topK',
    'compare: topK',
  ),
).describe(
  'Answers of the candidate compared with those of the stable version to the same requests, in shadow steps. A request to which the candidate gives no answer counts as one that differs.',
);

const limitText = () =>
  cel(z.string().max(24), matches(/^-?[0-9]+(\.[0-9]+)?%?$/, 'must be a number in quotes, such as "0.35" or "3%"'));
const query = () => z.string().min(1).max(2048);

const prometheus = cel(
  z.object({
    server: httpUrl()
      .optional()
      .describe('Address of the Prometheus, such as http://prometheus.monitoring:9090. Unset: that of the operator.'),
    bad: query().optional().describe('PromQL for a count of bad events since the step began: one number.'),
    total: query().optional().describe('PromQL for the count of all events since the step began: one number.'),
    value: query()
      .optional()
      .describe(
        'PromQL for one number that is held against max or min. It has no interval, so failures must be in a row.',
      ),
    max: limitText()
      .optional()
      .describe('Limit above which it is bad: a percentage with bad and total, else a number.'),
    min: limitText().optional().describe('Limit below which it is bad. Only with value.'),
    failures: z
      .int()
      .min(1)
      .max(100)
      .meta({ format: 'int32' })
      .default(3)
      .describe('Looks in a row beyond the limit that fail the guard, and within it that pass. Only with value.'),
    interval: duration().default('15s').describe('Time between two looks.'),
  }),
  ratesOrValue,
  queryLimit,
  failuresWithValue,
).describe(
  'A query of yours. $namespace, $service, $revision (candidate), $stable (revision), $version and $window (time since the step began, such as 90s) are filled in.',
);

const job = z
  .object({
    image: z.string().min(1).max(512).describe('Image of the test.'),
    command: atomicList(z.string().max(4096), 64).optional().describe('Entry point. Unset: that of the image.'),
    args: atomicList(z.string().max(4096), 64).optional().describe('Arguments.'),
    env: mapList(
      z.object({
        name: z.string().min(1).max(256).describe('Name of the variable.'),
        value: z.string().max(4096).describe('Its value.'),
      }),
      64,
      'name',
    )
      .optional()
      .describe(
        'Environment. SLIPWAY_CANDIDATE_URL, SLIPWAY_STABLE_URL, SLIPWAY_MODEL_VERSION and SLIPWAY_STEP are set.',
      ),
    resources: resourcesSchema.optional().describe('Resources of the container.'),
    timeout: duration().default('10m').describe('Time it may take; longer is a failure.'),
    max: percent()
      .optional()
      .describe(
        'The last line it prints is {"bad": n, "total": n}, and this is the share of bad that may be. Unset: the exit code decides, 0 passes.',
      ),
  })
  .describe('A container of yours that tests the candidate, once in each step.');

/** One question about the candidate, with its limit. */
export const guardSchema = cel(
  z.object({
    name: dnsLabel(63).describe('Name of the guard, unique in the list.'),
    observe: z.boolean().optional().describe('true: judged and shown, and nothing done about it. Default false.'),
    errors: errors.optional(),
    latency: latency.optional(),
    disagreement: disagreement.optional(),
    predictionShift: predictionShift.optional(),
    invalidOutputs: z
      .object({ max: percent().describe('Share of served answers that may hold one.') })
      .optional()
      .describe('Answers with a value that no caller can use: NaN or infinity.'),
    accuracy: accuracy.optional(),
    prometheus: prometheus.optional(),
    job: job.optional(),
  }),
  oneKind,
);
export type Guard = z.output<typeof guardSchema>;

export const guardKindOf = (guard: Guard): GuardKind =>
  GUARD_KINDS.find((kind) => guard[kind] !== undefined) ?? 'errors';
