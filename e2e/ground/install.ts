import { join } from 'node:path';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { type Ground, hack, KUBECONFIG, openGround } from './ground.ts';
import { ensureRestrictedNamespace } from './namespaces.ts';
import type { Tell } from './timeline.ts';

export const OPERATOR_NAMESPACE = 'slipway-system';
export const OPERATOR = 'deployment/slipway-operator';
export const GATEWAY = { namespace: 'slipway-gateway', name: 'slipway-gateway' } as const;
const IMAGES = ['slipway.dev/operator:dev', 'slipway.dev/runtime:dev', 'slipway.dev/trainer:dev'];

/** A helm that was killed leaves its release pending, and every later one refuses to touch it. */
async function clearPending(helm: (...args: string[]) => Promise<string>, release: string): Promise<void> {
  const status = await helm('status', release, '--output', 'json').catch(() => '');
  if (/"status":"pending-/.test(status)) await helm('uninstall', release, '--ignore-not-found');
}

async function helmInstall(release: string, ...args: string[]): Promise<void> {
  const path = await findBinary('helm', () => {});
  const common = ['--kubeconfig', KUBECONFIG, '--namespace', OPERATOR_NAMESPACE];
  const helm = (...rest: string[]): Promise<string> => run(path, [...common, ...rest]);
  await clearPending(helm, release);
  await helm('upgrade', '--install', release, join(repositoryRoot, 'charts', release), ...args);
}

const SETTINGS = {
  'image.repository': 'slipway.dev/operator',
  'image.tag': 'dev',
  'runtime.image.repository': 'slipway.dev/runtime',
  'runtime.image.tag': 'dev',
  'defaultGateway.namespace': GATEWAY.namespace,
  'defaultGateway.name': GATEWAY.name,
};

async function installOperator({ client, kubectl }: Ground): Promise<void> {
  await ensureRestrictedNamespace(client, OPERATOR_NAMESPACE);
  const wasThere = await kubectl('-n', OPERATOR_NAMESPACE, 'get', OPERATOR, '--ignore-not-found', '--output=name');
  await helmInstall('slipway-crds');
  await helmInstall('slipway', ...Object.entries(SETTINGS).flatMap(([name, value]) => ['--set', `${name}=${value}`]));
  // The dev tag names another image after each build, and a Deployment can't see that.
  if (wasThere !== '') await kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'restart', OPERATOR);
  await kubectl('-n', OPERATOR_NAMESPACE, 'rollout', 'status', OPERATOR, '--timeout=120s');
}

/** Local cluster, our images in it and the operator by Helm. Finds what is already there and goes on from it. */
export async function prepareGround(tell: Tell, progress: (line: string) => void): Promise<Ground> {
  await Promise.all([hack('cluster', ['up'], progress), hack('images', [], progress)]);
  tell('Cluster is up and the images are built', 'kubectl get nodes,gateways -A');
  await hack('cluster', ['load', ...IMAGES], progress);
  const ground = await openGround();
  await installOperator(ground);
  tell(`Operator installed by Helm into ${OPERATOR_NAMESPACE}`, `kubectl -n ${OPERATOR_NAMESPACE} get pods`);
  return ground;
}
