import type { AddressInfo } from 'node:net';
import { ENV, PORTS } from '@slipway/crds/contract';
import { Failure, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import { integer, required } from '../container/environment.ts';
import { createAgentServer } from './agentServer.ts';
import { leaveLastProgress } from './lastProgress.ts';

const terminationLog = process.env[ENV.terminationLog] ?? TERMINATION_LOG;

/** A sidecar must never hold its pod: as process 1 it would ignore SIGTERM if nobody asked for it. */
process.once('SIGTERM', () => {
  leaveLastProgress(process.env[ENV.statusDir] ?? '', terminationLog);
  process.exit(0);
});

try {
  const port = integer(process.env, ENV.adminPort, PORTS.admin, 0, 65535);
  const statusDir = required(process.env, ENV.statusDir);
  const adminTokenFile = required(process.env, ENV.adminTokenFile);
  const server = createAgentServer({ statusDir, adminTokenFile });
  server.listen(port, () => {
    const address = server.address() as AddressInfo;
    console.log(JSON.stringify({ msg: 'listening', admin: address.port }));
  });
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  console.error(error.message);
  await writeTermination(terminationLog, error);
  process.exit(1);
}
