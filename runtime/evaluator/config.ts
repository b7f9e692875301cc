import { type Gate, gateSchema } from '@slipway/crds';
import { DIRECTORIES, ENV } from '@slipway/crds/contract';
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

/** What to publish, from the environment. Throws Failure ConfigurationInvalid. */
export function publicationOf(env: Environment): Omit<Publication, 'now' | 'say'> {
  return {
    outputDir: env[ENV.outputDir] ?? DIRECTORIES.output,
    storeDir: env[ENV.storeDir] ?? DIRECTORIES.store,
    storeUri: required(env, ENV.storeUri).replace(/\/+$/, ''),
    modelName: matching(env, ENV.modelName, MODEL_NAME, 'a DNS label'),
  };
}

/** What to verify, from the environment. Throws Failure ConfigurationInvalid. */
export function verificationOf(env: Environment): Omit<Verification, 'say'> {
  return {
    artifactDir: env[ENV.artifactDir] ?? DIRECTORIES.served,
    digest: matching(env, ENV.modelDigest, DIGEST, 'sha256:<64 hex digits>'),
    gates: gatesOf(env[ENV.gates]),
  };
}

function matching(env: Environment, name: string, pattern: RegExp, what: string): string {
  const value = required(env, name);
  if (pattern.test(value)) return value;
  throw new Failure('ConfigurationInvalid', `${name} must be ${what}, not "${value}".`);
}

function gatesOf(text: string | undefined): readonly Gate[] {
  if (text === undefined || text === '') return [];
  const parsed = gatesSchema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Failure(
    'ConfigurationInvalid',
    `${ENV.gates} must be a JSON list of gates as in the spec: ${complaintOf(parsed.error)}.`,
  );
}
