import { readFile } from 'node:fs/promises';
import { ENV, PORTS } from '@slipway/crds/contract';
import { Failure, sentenceOf, TERMINATION_LOG } from '../artifact/failure.ts';
import { type Environment, integer, required } from '../container/environment.ts';
import type { ModelIdentity } from './models/servedModel.ts';
import { parseSettings, type Settings } from './settings.ts';

/** Sent as `version` of the server metadata; a test holds it to package.json. */
export const RUNTIME_VERSION = '0.1.0';

/** Artifact: the one model that the environment names, as in a pod. Folder: whatever models lie there. */
export type Source =
  | {
      readonly kind: 'Artifact';
      readonly identity: ModelIdentity;
      readonly directory: string;
      /** Public key in PEM that must have signed the files. Unset: no signature is asked for. */
      readonly verificationKeyFile?: string;
    }
  | { readonly kind: 'Folder'; readonly path: string };

export interface ServerConfig {
  readonly source: Source;
  readonly restPort: number;
  readonly grpcPort: number;
  readonly adminPort: number;
  /** Undefined: nobody may read the evidence. */
  readonly adminTokenFile: string | undefined;
  /** How long requests are still taken after SIGTERM, until every proxy has heard that the pod is leaving. */
  readonly drainMs: number;
  /** What SIGTERM leaves altogether until the process is killed. */
  readonly graceMs: number;
  readonly settings: Settings;
}

const USAGE =
  `Name a folder of models or a .onnx file: as the first argument, or in ${ENV.models} ` +
  `(in a pod ${ENV.modelName}, ${ENV.modelVersion}, ${ENV.modelDigest} and ${ENV.artifactDir} are set instead).`;

/** A pod is left by proxies within seconds; a person who stops a server of their own waits for nobody. */
const DRAIN_SECONDS = { Artifact: 5, Folder: 0 } as const;

/**
 * Reads environment and arguments (without those of Node itself). Throws Failure ConfigurationInvalid with the variable
 * and what it must be.
 */
export async function serverConfig(env: Environment, args: readonly string[]): Promise<ServerConfig> {
  const source = sourceOf(env, args);
  return {
    source,
    restPort: integer(env, ENV.restPort, PORTS.rest, 0, 65535),
    grpcPort: integer(env, ENV.grpcPort, PORTS.grpc, 0, 65535),
    adminPort: integer(env, ENV.adminPort, PORTS.admin, 0, 65535),
    adminTokenFile: source.kind === 'Artifact' ? required(env, ENV.adminTokenFile) : env[ENV.adminTokenFile],
    drainMs: integer(env, ENV.drainSeconds, DRAIN_SECONDS[source.kind], 0, 3600) * 1000,
    graceMs: integer(env, ENV.graceSeconds, 30, 1, 3600) * 1000,
    settings: await readSettings(env),
  };
}

/** Where a pod leaves its last words; a server of one's own has nobody to read them. */
export const terminationLogOf = (env: Environment): string | undefined =>
  env[ENV.terminationLog] ?? (env[ENV.modelName] ? TERMINATION_LOG : undefined);

function sourceOf(env: Environment, [path, ...others]: readonly string[]): Source {
  if (env[ENV.modelName]) {
    const identity = {
      name: required(env, ENV.modelName),
      version: required(env, ENV.modelVersion),
      digest: required(env, ENV.modelDigest),
    };
    const verificationKeyFile = env[ENV.verificationKeyFile];
    const signed = verificationKeyFile ? { verificationKeyFile } : {};
    return { kind: 'Artifact', identity, directory: required(env, ENV.artifactDir), ...signed };
  }
  const folder = path ?? env[ENV.models];
  if (others.length > 0 || !folder) throw new Failure('ConfigurationInvalid', USAGE);
  return { kind: 'Folder', path: folder };
}

async function readSettings(env: Environment): Promise<Settings> {
  const text = env[ENV.settings];
  const file = env[ENV.settingsFile];
  if (!file) return parseSettings(text, ENV.settings);
  if (text) throw new Failure('ConfigurationInvalid', `Set ${ENV.settings} or ${ENV.settingsFile}, not both.`);
  const read = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new Failure('ConfigurationInvalid', `${ENV.settingsFile}: ${file} cannot be read: ${sentenceOf(error)}.`);
  });
  return parseSettings(read, `${ENV.settingsFile} (${file})`);
}
