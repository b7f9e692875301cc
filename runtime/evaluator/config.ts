import { gateSchema, type ModelVersionSpec, modelVersionSpecSchema } from '@slipway/crds';
import { DIRECTORIES, ENV, type Place, placeSchema, rivalSchema } from '@slipway/crds/contract';
import * as z from 'zod';
import { Failure } from '../artifact/failure.ts';
import { jsonOf } from '../artifact/json.ts';
import { complaintOf } from '../container/complaint.ts';
import { type Environment, required } from '../container/environment.ts';
import type { Publication } from './publish.ts';
import type { Verification } from './verify.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;
/** As the API asks of a model name: it becomes a folder of the store. */
const MODEL_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const gatesSchema = z.array(gateSchema);
const rivalsSchema = z.array(rivalSchema);

/** What to publish, from the environment. Throws Failure ConfigurationInvalid. */
export function publicationOf(env: Environment): Omit<Publication, 'context'> {
  return {
    outputDir: env[ENV.outputDir] ?? DIRECTORIES.output,
    inputDir: env[ENV.inputDir] ?? DIRECTORIES.input,
    store: placeOf(env, ENV.store),
    signingKeyFile: env[ENV.signingKeyFile],
    modelName: matching(env, ENV.modelName, MODEL_NAME, 'a DNS label'),
  };
}

/** An artifact to fetch, from the environment. Throws Failure ConfigurationInvalid. */
export const fetchOf = (env: Environment): { place: Place; digest: string; into: string } => ({
  place: placeOf(env, ENV.artifact),
  digest: digestOf(env),
  into: env[ENV.artifactDir] ?? DIRECTORIES.served,
});

/** An artifact to take away, from the environment. Throws Failure ConfigurationInvalid. */
export const removalOf = (env: Environment): { place: Place; digest: string } => ({
  place: placeOf(env, ENV.artifact),
  digest: digestOf(env),
});

const digestOf = (env: Environment): string => matching(env, ENV.modelDigest, DIGEST, 'sha256:<64 hex digits>');

function placeOf(env: Environment, name: string): Place {
  const parsed = placeSchema.safeParse(jsonOf(required(env, name)));
  if (parsed.success) return parsed.data;
  throw new Failure(
    'ConfigurationInvalid',
    `${name} must be a place as JSON, such as {"uri": "pvc://models"}: ${complaintOf(parsed.error)}.`,
  );
}

/** What to verify, from the environment. Throws Failure ConfigurationInvalid. */
export function verificationOf(env: Environment): Omit<Verification, 'context' | 'elapsed'> {
  const artifactDir = env[ENV.artifactDir];
  return {
    artifact: artifactDir === undefined ? placeOf(env, ENV.artifact) : { dir: artifactDir },
    digest: digestOf(env),
    gates: listOf(env, ENV.gates, gatesSchema, 'gates as in the spec'),
    rivals: listOf(env, ENV.rivals, rivalsSchema, 'versions to compare with'),
    spec: specOf(env),
    keyFile: env[ENV.verificationKeyFile],
  };
}

function matching(env: Environment, name: string, pattern: RegExp, what: string): string {
  const value = required(env, name);
  if (pattern.test(value)) return value;
  throw new Failure('ConfigurationInvalid', `${name} must be ${what}, not "${value}".`);
}

function listOf<T>(env: Environment, name: string, schema: z.ZodType<T[]>, what: string): readonly T[] {
  const text = env[name];
  if (text === undefined || text === '') return [];
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Failure('ConfigurationInvalid', `${name} must be a JSON list of ${what}: ${complaintOf(parsed.error)}.`);
}

/** Who only tries an artifact names no version: it is judged, and leaves no reports. */
function specOf(env: Environment): ModelVersionSpec | undefined {
  const text = env[ENV.modelVersionSpec];
  if (text === undefined || text === '') return undefined;
  const parsed = modelVersionSpecSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Failure(
    'ConfigurationInvalid',
    `${ENV.modelVersionSpec} must be the spec of a ModelVersion as JSON: ${complaintOf(parsed.error)}.`,
  );
}
