import { join } from 'node:path';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { clusterDirectory, repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import type { Client } from '@slipway/operator/kube/client.ts';
import { connect } from '@slipway/operator/kube/connect.ts';

export const KUBECONFIG = join(clusterDirectory, 'kubeconfig');

/** The local cluster as a test or the demo holds it. */
export interface Ground {
  readonly client: Client;
  /** Runs kubectl against this cluster and returns what it prints. */
  readonly kubectl: (...args: string[]) => Promise<string>;
  readonly close: () => Promise<void>;
}

const silent = (): void => {};

/** A script of hack/, from the root of the checkout. */
export const hack = (
  script: string,
  args: readonly string[],
  onLine: (line: string) => void = silent,
): Promise<string> => run(join(repositoryRoot, 'hack', script), args, { cwd: repositoryRoot, onLine });

export async function openGround(): Promise<Ground> {
  const kubectlPath = await findBinary('kubectl', silent);
  const connection = await connect({ kubeconfig: KUBECONFIG });
  return {
    client: connection.client,
    kubectl: (...args) => run(kubectlPath, ['--kubeconfig', KUBECONFIG, ...args]),
    close: () => connection.close(),
  };
}
