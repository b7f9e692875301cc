import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findBinary } from '../binaries/find.ts';
import { run, succeeds } from '../command.ts';
import type { Driver } from '../driver.ts';
import { applyManifest } from '../host/addons.ts';
import { kubectl } from '../host/kubectl.ts';
import { clusterDirectory } from '../paths.ts';
import type { Log } from '../progress.ts';

const CLUSTER = 'slipway';
const kubeconfig = join(clusterDirectory, 'kubeconfig');
const CHART = 'oci://docker.io/envoyproxy/gateway-helm';
const CHART_VERSION = 'v1.9.1';
const PROXY_IMAGE = 'docker.io/envoyproxy/envoy:distroless-v1.39.1';
const ACCELERATORS = JSON.stringify({
  metadata: { labels: { 'nvidia.com/gpu.product': 'NVIDIA-H100-80GB-HBM3' } },
});
const CAPACITY = JSON.stringify({ status: { capacity: { 'nvidia.com/gpu': '4' } } });

/**
 * kind, for machines with Docker. It is thin on purpose and less proven than the host driver: the host driver is what
 * our own tests run on, and where they run no image can be pulled.
 */
export const kindDriver: Driver = { up, down, status, load };

const kind = (args: readonly string[], log?: Log): Promise<string> =>
  run('kind', [...args, '--name', CLUSTER], log ? { onLine: log } : {});

async function exists(): Promise<boolean> {
  if (!(await succeeds('docker', ['info'])))
    throw new Error('Docker does not answer: install it (https://docs.docker.com/get-docker) and start it.');
  if (!(await succeeds('kind', ['version'])))
    throw new Error('kind is needed: install it (https://kind.sigs.k8s.io) and run this again.');
  return (await run('kind', ['get', 'clusters'])).split('\n').includes(CLUSTER);
}

async function up(log: Log): Promise<void> {
  const isThere = await exists();
  await mkdir(clusterDirectory, { recursive: true });
  // One that is there may have been made by another checkout, which has the only kubeconfig.
  if (isThere) await kind(['export', 'kubeconfig', '--kubeconfig', kubeconfig]);
  else await kind(['create', 'cluster', '--wait', '120s', '--kubeconfig', kubeconfig], log);
  await pretendAccelerators(log);
  const place = ['--kubeconfig', kubeconfig, '-n', 'envoy-gateway-system', '--create-namespace', '--wait'];
  await run(await findBinary('helm', log), [
    'upgrade',
    '--install',
    'envoy-gateway',
    CHART,
    '--version',
    CHART_VERSION,
    ...place,
  ]);
  await applyManifest('gateway.yaml', { ENVOY_IMAGE: PROXY_IMAGE });
  const gateway = ['-n', 'slipway-gateway', 'gateway/slipway-gateway'];
  await kubectl('wait', ...gateway, '--for=condition=Programmed', '--timeout=300s');
  log(`the cluster is up: export KUBECONFIG=${kubeconfig}`);
}

async function pretendAccelerators(log: Log): Promise<void> {
  await findBinary('kubectl', log);
  const patch = (...args: string[]): Promise<string> =>
    kubectl('patch', 'node', `${CLUSTER}-control-plane`, '--type=merge', ...args);
  await patch('-p', ACCELERATORS);
  await patch('--subresource=status', '-p', CAPACITY);
}

async function down(log: Log): Promise<void> {
  if (await exists()) await kind(['delete', 'cluster', '--kubeconfig', kubeconfig], log);
  await rm(kubeconfig, { force: true });
}

async function status(): Promise<{ readonly lines: readonly string[]; readonly isUp: boolean }> {
  const isUp = await exists().catch(() => false);
  return { lines: [`cluster ${isUp ? 'up' : 'down'}`, ...(isUp ? [`kubeconfig ${kubeconfig}`] : [])], isUp };
}

async function load(image: string): Promise<void> {
  await kind(['load', existsSync(image) ? 'image-archive' : 'docker-image', image]);
}
