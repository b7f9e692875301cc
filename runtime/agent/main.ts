import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { ENV, PORTS } from '@slipway/crds/contract';
import { Failure, TERMINATION_LOG, writeTermination } from '../artifact/failure.ts';
import { integer, required } from '../container/environment.ts';
import { createAgentServer } from './agentServer.ts';
import { leaveLastWords } from './lastWords.ts';
import { leavePostToken } from './postToken.ts';
import { ProgressBook } from './progressBook.ts';

const terminationLog = process.env[ENV.terminationLog] ?? TERMINATION_LOG;
const book = new ProgressBook(process.env[ENV.statusDir] ?? '');

/** A sidecar must never hold its pod: as process 1 it would ignore SIGTERM if nobody asked for it. */
process.once('SIGTERM', () => {
  leaveLastWords(book, process.env[ENV.statusDir] ?? '', terminationLog);
  process.exit(0);
});

try {
  const port = integer(process.env, ENV.adminPort, PORTS.admin, 0, 65535);
  const statusDir = required(process.env, ENV.statusDir);
  const adminTokenFile = required(process.env, ENV.adminTokenFile);
  const postTokenFile = leavePostToken(statusDir, () => randomBytes(24).toString('base64url'));
  const server = createAgentServer({ statusDir, book, adminTokenFile, postTokenFile });
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
