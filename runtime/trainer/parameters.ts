import { readFile } from 'node:fs/promises';
import { ENV, FILES } from '@slipway/crds/contract';
import * as z from 'zod';
import { Failure } from '../artifact/failure.ts';
import type { Environment } from '../container/environment.ts';

const wholeNumber = (min: number, max: number, fallback: number) =>
  z.coerce
    .number(`must be a whole number from ${min} to ${max}`)
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be a whole number from ${min} to ${max}`)
    .max(max, `must be a whole number from ${min} to ${max}`)
    .default(fallback);

const month = (fallback: number) => wholeNumber(1, 6, fallback);

/** Parameters of the training recipe. They come as strings; runtime/trainer/README.md says what each is for. */
const parametersSchema = z.strictObject({
  epochs: wholeNumber(1, 1000, 3),
  rows: wholeNumber(1000, 3_000_000, 60_000),
  evaluationRows: wholeNumber(500, 150_000, 8000),
  batchSize: wholeNumber(16, 65_536, 512),
  hiddenUnits: z
    .string()
    .regex(/^[1-9]\d{0,3}(,[1-9]\d{0,3}){0,3}$/, 'must be one to four layer sizes, for example 32 or 64,32')
    .default('32'),
  embeddingSize: wholeNumber(1, 64, 4),
  learningRate: z.coerce
    .number('must be a number above 0 and at most 1')
    .positive('must be a number above 0 and at most 1')
    .max(1, 'must be a number above 0 and at most 1')
    .default(0.01),
  seed: wholeNumber(0, 2_147_483_647, 1),
  monthFrom: month(1),
  monthTo: month(6),
  busiestAirports: wholeNumber(0, 305, 0),
  checkpointEvery: wholeNumber(0, 1_000_000, 200),
  vocabulary: z.enum(['codebook', 'seen'], 'must be codebook or seen').default('codebook'),
});
export type Parameters = Readonly<z.output<typeof parametersSchema>>;

export const PARAMETER_NAMES = Object.keys(parametersSchema.shape);

/**
 * Checks the parameters. Throws Failure ConfigurationInvalid with one sentence that says what to write instead; an
 * unknown name is refused too, as a parameter with a typing error would otherwise train something else in silence.
 */
export function parseParameters(raw: Readonly<Record<string, unknown>>): Parameters {
  const parsed = parametersSchema.safeParse(raw);
  if (!parsed.success) throw new Failure('ConfigurationInvalid', sentenceOfIssue(parsed.error.issues[0], raw));
  const { monthFrom, monthTo } = parsed.data;
  if (monthFrom > monthTo) {
    throw new Failure(
      'ConfigurationInvalid',
      `Parameter monthFrom (${monthFrom}) must not be after monthTo (${monthTo}).`,
    );
  }
  return parsed.data;
}

function sentenceOfIssue(issue: z.core.$ZodIssue | undefined, raw: Readonly<Record<string, unknown>>): string {
  if (issue?.code === 'unrecognized_keys') {
    return `Parameter ${issue.keys[0]} is not known; use ${PARAMETER_NAMES.join(', ')}.`;
  }
  const name = String(issue?.path[0]);
  return `Parameter ${name} is "${String(raw[name])}" but ${issue?.message}.`;
}

/** Reads the parameters file where there is one, else SLIPWAY_PARAM_<NAME> of the environment. */
export async function readParameters(env: Environment): Promise<Parameters> {
  const file = env[ENV.parametersFile];
  if (file === undefined) return parseParameters(fromEnvironment(env));
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('ConfigurationInvalid', `The parameters file ${file} cannot be read.`, { cause });
  });
  return parseParameters(parseObject(text));
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure('ConfigurationInvalid', `${FILES.parameters} must be one JSON object of strings.`, { cause });
  }
}

/** Environment names are upper case; the schema knows how each parameter is really written. */
function fromEnvironment(env: Environment): Record<string, unknown> {
  const written = new Map(PARAMETER_NAMES.map((name) => [name.toUpperCase(), name]));
  const found = Object.entries(env).filter(([name]) => name.startsWith(ENV.parameterPrefix));
  return Object.fromEntries(
    found.map(([name, value]) => {
      const short = name.slice(ENV.parameterPrefix.length);
      return [written.get(short) ?? short, value];
    }),
  );
}
