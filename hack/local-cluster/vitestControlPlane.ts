import { once } from 'node:events';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type ControlPlane, startControlPlane } from './controlPlane.ts';
import { installDefinitions } from './customResources.ts';
import { clusterDirectory, repositoryRoot } from './paths.ts';
import { recordOf } from './processRecord.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of an administrator's kubeconfig for a real API server that has our CRDs, and that no other file uses now. */
    kubeconfig: string;
    /** Where a worker asks for its kubeconfig: see ownControlPlane.ts. */
    controlPlanes: string;
  }
}

const runs = join(clusterDirectory, 'control-planes');

/** A runner that was killed could not remove its directory: the next one does. */
async function removeAbandoned(): Promise<void> {
  await mkdir(runs, { recursive: true });
  for (const name of await readdir(runs)) {
    if ((await recordOf(Number.parseInt(name, 10))) === undefined)
      await rm(join(runs, name), { recursive: true, force: true });
  }
}

async function start(worker: string): Promise<ControlPlane> {
  const log = (line: string): void => console.error(`control plane ${worker}: ${line}`);
  const plane = await startControlPlane({ directory: join(runs, `${process.pid}-${worker}`), log });
  await installDefinitions(plane.access, join(repositoryRoot, 'crds'));
  return plane;
}

/**
 * vitest global setup: an API server for each worker, started when its first file asks for it and kept for the others.
 * Files of two workers run at once, and some take the whole server for themselves: the operator, a controller of
 * Kubernetes, the definitions of our kinds.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const planes = new Map<string, Promise<ControlPlane>>();
  const server = createServer((request, response) => {
    const worker = request.url?.slice(1) ?? '';
    const plane = planes.get(worker) ?? start(worker);
    planes.set(worker, plane);
    plane.then(
      ({ kubeconfig }) => response.end(kubeconfig),
      (error) => response.writeHead(500).end(String(error)),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  project.provide('controlPlanes', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return async () => {
    server.close();
    const started = await Promise.allSettled(planes.values());
    await Promise.all(started.map((plane) => (plane.status === 'fulfilled' ? plane.value.stop() : undefined)));
  };
}
