import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startControlPlane } from './controlPlane.ts';
import { installDefinitions } from './customResources.ts';
import { clusterDirectory, repositoryRoot } from './paths.ts';
import { recordOf } from './processRecord.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of an administrator's kubeconfig for a real API server that has our CRDs. */
    kubeconfig: string;
  }
}

const runs = join(clusterDirectory, 'control-planes');

/** A runner that was killed could not remove its directory: the next one does. */
async function removeAbandoned(): Promise<void> {
  await mkdir(runs, { recursive: true });
  for (const name of await readdir(runs)) {
    if ((await recordOf(Number(name))) === undefined) await rm(join(runs, name), { recursive: true, force: true });
  }
}

/** vitest global setup: one API server for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const log = (line: string): void => console.error(`control plane: ${line}`);
  const plane = await startControlPlane({ directory: join(runs, String(process.pid)), log });
  await installDefinitions(plane.access, join(repositoryRoot, 'crds'));
  project.provide('kubeconfig', plane.kubeconfig);
  return () => plane.stop();
}
