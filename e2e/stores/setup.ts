import { progress } from '@slipway/hack/local-cluster/progress.ts';
import type { TestProject } from 'vitest/node';
import { startServers } from './servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly s3: { readonly url: string; readonly folder: string };
    readonly oci: { readonly host: string; readonly folder: string };
    readonly closedOci: { readonly host: string };
  }
}

/** vitest global setup: the servers, once for the whole run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { s3, oci, closedOci, close } = await startServers(progress());
  project.provide('s3', s3);
  project.provide('oci', oci);
  project.provide('closedOci', closedOci);
  return close;
}
