import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ServedModel } from '../../models/servedModel.ts';
import type { PortDependencies } from '../../portDependencies.ts';
import { portOf, type SetupOf } from '../../rest/testing/serving.ts';
import { createGrpcServer } from '../grpcServer.ts';

/** The gRPC server on a port of its own, or on that one, until the test ends. */
export async function serving(models: readonly ServedModel[], setup: SetupOf<PortDependencies> = {}, at = 0) {
  const { deps, state, failures } = portOf(models, setup);
  const grpc = createGrpcServer(deps);
  grpc.server.listen(at, '127.0.0.1');
  await once(grpc.server, 'listening');
  onTestFinished(() => grpc.close());
  const { port } = grpc.server.address() as AddressInfo;
  return { ...grpc, grpc, port, state, failures, address: `127.0.0.1:${port}` };
}
