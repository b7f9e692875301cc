import {
  type DatasetOrder,
  DIRECTORIES,
  datasetOrderSchema,
  ENV,
  type Peers,
  PORTS,
  peersSchema,
} from '@slipway/crds/contract';
import * as z from 'zod';
import { Failure } from '../artifact/failure.ts';
import { jsonOf } from '../artifact/json.ts';
import { complaintOf } from '../container/complaint.ts';
import { type Environment, integer } from '../container/environment.ts';

export interface PrepareConfig {
  readonly datasets: readonly DatasetOrder[];
  /** Undefined for a single pod, which waits for nobody. */
  readonly peers: Peers | undefined;
  readonly rank: number;
  readonly timeoutMs: number;
  readonly inputDir: string;
  readonly checkpointDir: string;
  readonly statusDir: string;
  /** Emptied first; undefined: this attempt has never run. */
  readonly outputDir: string | undefined;
  /** Port of the agents. */
  readonly agentPort: number;
}

/** Set by the Job controller in each container of an indexed pod. */
const COMPLETION_INDEX = 'JOB_COMPLETION_INDEX';

function parsed<T>(env: Environment, name: string, schema: z.ZodType<T>): T | undefined {
  const text = env[name];
  if (text === undefined || text === '') return undefined;
  const result = schema.safeParse(jsonOf(text));
  if (result.success) return result.data;
  throw new Failure('ConfigurationInvalid', `${name} is not what it should be: ${complaintOf(result.error)}.`);
}

/** What to prepare, from the environment. Throws Failure ConfigurationInvalid. */
export function prepareConfig(env: Environment): PrepareConfig {
  return {
    datasets: parsed(env, ENV.datasets, z.array(datasetOrderSchema)) ?? [],
    peers: parsed(env, ENV.peers, peersSchema),
    rank: integer(env, COMPLETION_INDEX, 0, 0, 999),
    timeoutMs: integer(env, ENV.startTimeout, 600, 1, 604_800) * 1000,
    inputDir: env[ENV.inputDir] ?? DIRECTORIES.input,
    checkpointDir: env[ENV.checkpointDir] ?? DIRECTORIES.checkpoints,
    statusDir: env[ENV.statusDir] ?? DIRECTORIES.status,
    outputDir: env[ENV.outputDir],
    agentPort: integer(env, ENV.adminPort, PORTS.admin, 1, 65535),
  };
}
