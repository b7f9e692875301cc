import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Evidence, evidenceSchema, type Termination, terminationSchema } from '@slipway/crds/contract';
import type { TestArtifact } from './artifacts.ts';
import { temporaryFolder } from './temporaryFolder.ts';

const TOKEN = 'test-token';
/** Most of what a start costs is to read our TypeScript: the first process that ends well spares the others half of it. */
const NODE_COMPILE_CACHE = fileURLToPath(new URL('../../.cache/compile', import.meta.url));
export const ADMIN = { authorization: `Bearer ${TOKEN}` } as const;

type Port = 'rest' | 'grpc' | 'admin';

/** One real server process on ports of its own. */
export class ServerProcess {
  readonly child: ChildProcess;
  readonly tokenFile: string;
  readonly #terminationLog: string;
  readonly #lines: string[] = [];
  readonly #exited: Promise<number | null>;
  /** It has exited, and all it wrote has been read. */
  #ended = false;

  /** Starts `node <module>`; does not wait for anything. */
  static async start(
    module: string,
    env: Readonly<Record<string, string>>,
    args: readonly string[] = [],
  ): Promise<ServerProcess> {
    const folder = await temporaryFolder('process');
    await writeFile(join(folder, 'token'), TOKEN);
    return new ServerProcess(module, env, args, folder);
  }

  private constructor(module: string, env: Readonly<Record<string, string>>, args: readonly string[], folder: string) {
    this.tokenFile = join(folder, 'token');
    this.#terminationLog = join(folder, 'termination-log');
    this.child = spawn(process.execPath, [fileURLToPath(new URL(module, import.meta.url)), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        NODE_COMPILE_CACHE,
        SLIPWAY_REST_PORT: '0',
        SLIPWAY_GRPC_PORT: '0',
        SLIPWAY_ADMIN_PORT: '0',
        SLIPWAY_ADMIN_TOKEN_FILE: this.tokenFile,
        SLIPWAY_TERMINATION_LOG: this.#terminationLog,
        ...env,
      },
    });
    this.#exited = once(this.child, 'exit').then(([code]) => code as number | null);
    this.child.once('close', () => {
      this.#ended = true;
    });
    this.child.stderr?.pipe(process.stderr, { end: false });
    // A test that fails before it ends its server must leave no process behind: it would hold the test runner.
    const end = () => this.child.kill('SIGKILL');
    process.once('exit', end);
    this.child.once('exit', () => process.off('exit', end));
    if (this.child.stdout) createInterface(this.child.stdout).on('line', (line) => this.#lines.push(line));
  }

  /** The first log entry with this message. Throws after 20 s, or when the process ends without it. */
  async logged(msg: string): Promise<Readonly<Record<string, unknown>>> {
    const deadline = Date.now() + 20_000;
    while (Date.now() < deadline) {
      const entry = this.entries().find((candidate) => candidate['msg'] === msg);
      if (entry) return entry;
      if (this.#ended) break;
      await pause(10);
    }
    throw new Error(`the process never logged "${msg}": ${this.#lines.join('\n')}`);
  }

  /** All that it has logged so far. */
  entries(): readonly Readonly<Record<string, unknown>>[] {
    return this.#lines.map((line) => JSON.parse(line));
  }

  async url(port: Port, path: string): Promise<string> {
    return `http://127.0.0.1:${(await this.logged('listening'))[port]}${path}`;
  }

  async fetch(port: Port, path: string, init?: RequestInit): Promise<Response> {
    return fetch(await this.url(port, path), init);
  }

  async evidence(): Promise<Evidence> {
    const response = await this.fetch('admin', '/slipway/v1/evidence', { headers: ADMIN });
    return evidenceSchema.parse(await response.json());
  }

  async termination(): Promise<Termination> {
    return terminationSchema.parse(JSON.parse(await this.lastWords()));
  }

  /** The termination message as written. */
  lastWords(): Promise<string> {
    return readFile(this.#terminationLog, 'utf8');
  }

  exitCode(): Promise<number | null> {
    return this.#exited;
  }

  /** Ends the process without ceremony, if it still runs. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exited;
  }
}

/** A model server of an artifact; `env` adds to or replaces the usual environment. */
export const startServer = (artifact: TestArtifact, env: Readonly<Record<string, string>> = {}) =>
  ServerProcess.start('../server/main.ts', {
    SLIPWAY_MODEL_NAME: 'flights',
    SLIPWAY_MODEL_VERSION: '1.4.0',
    SLIPWAY_MODEL_DIGEST: artifact.digest,
    SLIPWAY_ARTIFACT_DIR: artifact.directory,
    SLIPWAY_DRAIN_SECONDS: '0',
    ...env,
  });

/** A model server of a folder of models, with serving settings. */
export const startFolder = (folder: string, settings: object = {}, env: Readonly<Record<string, string>> = {}) =>
  ServerProcess.start('../server/main.ts', { SLIPWAY_SETTINGS: JSON.stringify(settings), ...env }, [folder]);
