import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ServingSettings, servingSettingsSchema } from '@slipway/crds/serving';
import { onTestFinished } from 'vitest';
import type { ModelRepository, ServedModel } from '../../models/servedModel.ts';
import type { Phase } from '../../rest/dependencies.ts';
import { repositoryOf } from '../../rest/testing/serving.ts';
import type { GrpcDependencies } from '../dependencies.ts';
import { createGrpcServer } from '../grpcServer.ts';

interface Failed {
  readonly sentence: string;
  readonly cause: unknown;
}

export interface Setup extends Partial<Omit<GrpcDependencies, 'limits' | 'phase' | 'repository'>> {
  readonly limits?: Partial<ServingSettings['limits']>;
  readonly repository?: Partial<ModelRepository>;
}

/** The gRPC server on a port of its own, until the test ends. */
export async function serving(models: readonly ServedModel[], setup: Setup = {}) {
  const state: { phase: Phase } = { phase: 'Serving' };
  const failures: Failed[] = [];
  const { limits, repository, ...rest } = setup;
  const grpc = createGrpcServer({
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
  });
  grpc.server.listen(0, '127.0.0.1');
  await once(grpc.server, 'listening');
  onTestFinished(() => grpc.close());
  const { port } = grpc.server.address() as AddressInfo;
  return { ...grpc, grpc, port, state, failures, address: `127.0.0.1:${port}` };
}
