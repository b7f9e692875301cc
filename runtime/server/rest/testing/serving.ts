import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ServingSettings, servingSettingsSchema } from '@slipway/crds/serving';
import { onTestFinished } from 'vitest';
import type { ModelRepository, ServedModel } from '../../models/servedModel.ts';
import type { Phase, PortDependencies } from '../../portDependencies.ts';
import type { RestDependencies } from '../dependencies.ts';
import { createRestServer } from '../restServer.ts';
import { exchange, type Received } from './socket.ts';

export interface Failed {
  readonly sentence: string;
  readonly cause: unknown;
}

/** Models that are there from the beginning; what is loaded and unloaded is written down. */
export function repositoryOf(models: readonly ServedModel[], loading: Partial<ModelRepository> = {}): ModelRepository {
  const named = (name: string, version?: string) =>
    models.find(({ identity }) => identity.name === name && (version === undefined || identity.version === version));
  return {
    find: named,
    knows: (name, version) => named(name, version) !== undefined,
    names: () => models.map(({ identity }) => identity.name),
    versions: (name) => models.flatMap(({ identity }) => (identity.name === name ? [identity.version] : [])),
    index: () =>
      models.map(({ identity: { name, version } }) => ({ name, version, state: 'READY' as const, reason: '' })),
    load: async () => undefined,
    unload: async () => undefined,
    controllable: false,
    ...loading,
  };
}

/** What a test wants otherwise than `portOf` has it. */
export type SetupOf<D extends PortDependencies> = Partial<Omit<D, 'limits' | 'phase' | 'repository'>> & {
  readonly limits?: Partial<ServingSettings['limits']>;
  readonly repository?: Partial<ModelRepository>;
};
export type Setup = SetupOf<RestDependencies>;

/** What a port is made of, with a phase that the test may change and the failures that it was told of. */
export function portOf(models: readonly ServedModel[], { limits, repository, ...rest }: SetupOf<PortDependencies>) {
  const state: { phase: Phase } = { phase: 'Serving' };
  const failures: Failed[] = [];
  const deps: PortDependencies = {
    repository: repositoryOf(models, repository),
    access: undefined,
    certificate: undefined,
    limits: { ...servingSettingsSchema.parse({}).limits, ...limits },
    phase: () => state.phase,
    ready: () => state.phase === 'Serving',
    identity: models[0]?.identity,
    version: '0.0.0',
    elapsed: () => performance.now(),
    now: Date.now,
    onFailure: (sentence, cause) => failures.push({ sentence, cause }),
    ...rest,
  };
  return { deps, state, failures };
}

/** The REST server on a port of its own, until the test ends. */
export async function serving(models: readonly ServedModel[], setup: Setup = {}) {
  const { deps, state, failures } = portOf(models, setup);
  const server = createRestServer(deps);
  server.server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  onTestFinished(() => {
    server.server.close();
    server.server.closeAllConnections();
  });
  const { port } = server.server.address() as AddressInfo;
  const send = (bytes: Parameters<typeof exchange>[1]): Promise<Received> => exchange(port, bytes);
  return { ...server, rest: server, port, state, failures, send, url: `http://127.0.0.1:${port}` };
}
