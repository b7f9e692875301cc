import { setTimeout as delay } from 'node:timers/promises';
import { findBinary } from '../binaries/find.ts';
import { run } from '../command.ts';
import { gatewayChart } from '../gatewayChart.ts';
import { systemImage } from '../images/system.ts';
import type { Log } from '../progress.ts';
import { until } from '../until.ts';
import { applyManifest } from './addons.ts';
import { kubectl } from './kubectl.ts';
import { files } from './settings.ts';

const NAMESPACE = 'envoy-gateway-system';

const values = [
  `global.images.envoyGateway.image=${systemImage('envoy-gateway')}`,
  // One node: nothing to learn about zones, and its webhook would delay every pod.
  'topologyInjector.enabled=false',
  'deployment.envoyGateway.readinessProbe.periodSeconds=1',
];

async function isInstalled(helm: string): Promise<boolean> {
  const releases = await run(helm, [
    '--kubeconfig',
    files.kubeconfig,
    '-n',
    NAMESPACE,
    'list',
    '--deployed',
    '--short',
  ]);
  return releases.split('\n').includes('envoy-gateway');
}

/** Installs Envoy Gateway by its own chart, and the Gateway that the cluster's services are reached by. */
export async function raiseGateway(log: Log): Promise<void> {
  const helm = await findBinary('helm', log);
  if (!(await isInstalled(helm))) {
    const settings = values.flatMap((value) => ['--set', value]);
    const place = ['--kubeconfig', files.kubeconfig, '-n', NAMESPACE, '--create-namespace'];
    await run(helm, ['upgrade', '--install', 'envoy-gateway', await gatewayChart(log), ...place, ...settings]);
    log('Envoy Gateway is installed');
  }
  await applyManifest('gateway.yaml', { ENVOY_IMAGE: systemImage('envoy') });
  const gateway = ['-n', 'slipway-gateway', 'gateway/slipway-gateway'];
  await kubectl('wait', ...gateway, '--for=condition=Programmed', '--timeout=120s');
  const address = await kubectl('get', ...gateway, '-o', 'jsonpath={.status.addresses[0].value}');
  await until(() => goesOnAnswering(`http://${address}/`), {
    what: 'waiting for the gateway to answer',
    timeoutMs: 60_000,
  });
  log(`the gateway answers at ${address}`);
}

/**
 * Any answer will do: without a route it is 404. After a crash the Gateway's conditions are still those from before, and so is
 * its proxy, which answers once more until the kubelet, a second later, starts its pod anew: hence twenty in a row.
 */
async function goesOnAnswering(url: string): Promise<true> {
  for (let answers = 0; answers < 20; answers++) {
    await fetch(url, { signal: AbortSignal.timeout(2000) });
    await delay(100);
  }
  return true;
}
