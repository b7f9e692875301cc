import { join } from 'node:path';
import { ENV, PORTS } from '@slipway/crds/contract';
import { TERMINATION_LOG } from '../artifact/failure.ts';
import { type Environment, integer, required } from '../container/environment.ts';

/** Sent as `version` of the server metadata; a test holds it to package.json. */
export const RUNTIME_VERSION = '0.1.0';

export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  /** sha256:<hex> that the artifact must have. */
  readonly digest: string;
}

export interface ServerConfig {
  readonly model: ModelIdentity;
  /** Root of the artifact: the model directory. */
  readonly artifactDir: string;
  readonly adminTokenFile: string;
  readonly restPort: number;
  readonly adminPort: number;
  /** How long requests are still taken after SIGTERM, until every proxy has heard that the pod is leaving. */
  readonly drainMs: number;
  /** Worker threads, each with its own session. */
  readonly workers: number;
  /** Intra-op threads of each session. */
  readonly threads: number;
  /** Requests that may wait for a worker; one more is refused with 503. */
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  readonly terminationLog: string;
}

/** More sessions cost memory (each its own copy of the weights) and win little: beyond this, threads go to a session. */
const MOST_WORKERS_BY_DEFAULT = 4;
const MIB = 1024 * 1024;

/** Reads the environment. Throws Failure ConfigurationInvalid with the variable and what it must be. */
export function serverConfig(env: Environment, cores: number): ServerConfig {
  const workers = integer(env, ENV.workers, Math.min(cores, MOST_WORKERS_BY_DEFAULT), 1, 256);
  return {
    model: {
      name: required(env, ENV.modelName),
      version: required(env, ENV.modelVersion),
      digest: required(env, ENV.modelDigest),
    },
    artifactDir: join(required(env, ENV.artifactDir)),
    adminTokenFile: required(env, ENV.adminTokenFile),
    restPort: integer(env, ENV.restPort, PORTS.rest, 0, 65535),
    adminPort: integer(env, ENV.adminPort, PORTS.admin, 0, 65535),
    drainMs: integer(env, ENV.drainSeconds, 5, 0, 3600) * 1000,
    workers,
    threads: Math.max(1, Math.floor(cores / workers)),
    maxQueue: integer(env, ENV.maxQueue, 256, 0, 1_000_000),
    maxBodyBytes: integer(env, ENV.maxBodyBytes, 32 * MIB, 1, 1024 * MIB),
    terminationLog: env[ENV.terminationLog] ?? TERMINATION_LOG,
  };
}
