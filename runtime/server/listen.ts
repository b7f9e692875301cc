import type { AddressInfo, Server } from 'node:net';
import { Failure, sentenceOf } from '../artifact/failure.ts';

/** Opens a port and returns its number, which 0 leaves to the system. Throws Failure ConfigurationInvalid. */
export function listen(server: Pick<Server, 'once' | 'listen' | 'address'>, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', (error) =>
    reject(new Failure('ConfigurationInvalid', `Port ${port} cannot be opened: ${sentenceOf(error)}.`)),
  );
  server.listen({ port, backlog: BACKLOG }, () => resolve((server.address() as AddressInfo).port));
  return promise;
}

/** Connections that may wait to be accepted: a burst of new ones must not be refused by the kernel. */
const BACKLOG = 4096;
