import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { PORTS } from '@slipway/crds/contract';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer, Wait } from 'testcontainers';
import { onTestFinished } from 'vitest';

const IMAGE = 'slipway.dev/runtime:dev';

/** A folder of models that another user may read, as one of a person's own usually is. */
export async function modelFolder(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder('container');
  await chmod(folder, 0o755);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

export interface Limits {
  readonly image?: string;
  readonly cpu?: number;
  readonly memoryGiB?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The strictest container there is: nothing to write to, no capability, no way to more rights. */
class SealedContainer extends GenericContainer {
  constructor(models: string, { image = IMAGE, cpu, memoryGiB, environment = {} }: Limits) {
    super(image);
    this.hostConfig.ReadonlyRootfs = true;
    this.withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges')
      .withBindMounts([{ source: models, target: '/models', mode: 'ro' }])
      .withCommand(['/models'])
      .withEnvironment({ ...environment })
      .withResourcesQuota({
        ...(cpu === undefined ? {} : { cpu }),
        ...(memoryGiB === undefined ? {} : { memory: memoryGiB }),
      });
  }
}

type LogEntry = Readonly<Record<string, unknown>>;

/** A running container of the model server, taken away when its test is over. */
export class ServerContainer {
  readonly #container: StartedTestContainer;
  readonly log: readonly LogEntry[];

  private constructor(container: StartedTestContainer, log: readonly LogEntry[]) {
    this.#container = container;
    this.log = log;
  }

  /** Waits until it is ready to serve. */
  static serving(models: string, limits: Limits = {}): Promise<ServerContainer> {
    const container = new SealedContainer(models, limits).withExposedPorts(PORTS.rest, PORTS.grpc, PORTS.admin);
    return ServerContainer.#start(container.withWaitStrategy(Wait.forHttp('/readyz', PORTS.admin)));
  }

  /** Waits for its last words only. */
  static refusing(models: string, limits: Limits = {}): Promise<ServerContainer> {
    const fatal = Wait.forLogMessage(/"level":60/);
    return ServerContainer.#start(new SealedContainer(models, limits).withWaitStrategy(fatal));
  }

  static async #start(container: GenericContainer): Promise<ServerContainer> {
    const log: LogEntry[] = [];
    container.withStartupTimeout(60_000).withLogConsumer((stream) => {
      createInterface({ input: stream }).on('line', (line) => log.push(JSON.parse(line)));
    });
    const started = await container.start();
    onTestFinished(async () => void (await started.stop({ timeout: 0 })));
    return new ServerContainer(started, log);
  }

  address(port: keyof typeof PORTS): string {
    return `${this.#container.getHost()}:${this.#container.getMappedPort(PORTS[port])}`;
  }

  url(port: keyof typeof PORTS, path: string): string {
    return `http://${this.address(port)}${path}`;
  }

  /** What a shell inside says, with the exit code. */
  async inside(script: string): Promise<{ readonly exitCode: number; readonly output: string }> {
    return this.#container.exec(['sh', '-c', script]);
  }

  async inspect() {
    return (await this.#engine()).inspect();
  }

  async signal(signal: 'SIGTERM'): Promise<void> {
    await (await this.#engine()).kill({ signal });
  }

  /** Resolves once the process has ended. */
  async exitCode(): Promise<number> {
    return (await (await this.#engine()).wait()).StatusCode;
  }

  async #engine() {
    return (await getContainerRuntimeClient()).container.getById(this.#container.getId());
  }
}
