import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accessOf } from '@slipway/hack/local-cluster/api.ts';
import { ensurePackages } from '@slipway/hack/local-cluster/binaries/debian.ts';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { goCommand } from '@slipway/hack/local-cluster/binaries/go.ts';
import { toolNamed } from '@slipway/hack/local-cluster/binaries/tools.ts';
import { type BoundChild, startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { KUBECONFIG } from '../../ground/ground.ts';

const MODULE = 'github.com/argoproj/argo-rollouts';
const READY_MS = 30_000;

/** Argo Rollouts and the Prometheus that it asks, as processes of this machine against the local cluster. */
export interface ArgoControllers {
  readonly prometheusUrl: string;
  /** Of the module that it is built from. */
  readonly version: string;
  stop(): Promise<void>;
}

/** Each pod of the namespace by its own address, each second: as often as Prometheus is usually let. */
const scrapeConfig = (namespace: string): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'pods',
        kubernetes_sd_configs: [{ role: 'pod', kubeconfig_file: KUBECONFIG, namespaces: { names: [namespace] } }],
        relabel_configs: [
          { source_labels: ['__meta_kubernetes_pod_label_app'], regex: 'argo', action: 'keep' },
          { source_labels: ['__meta_kubernetes_pod_container_port_name'], regex: 'admin', action: 'keep' },
        ],
      },
    ],
  });

async function startPrometheus(folder: string, namespace: string): Promise<{ child: BoundChild; url: string }> {
  await ensurePackages(['prometheus'], console.error);
  const [port = 0] = await freePorts(1);
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, scrapeConfig(namespace));
  const settings = {
    'config.file': config,
    'storage.tsdb.path': join(folder, 'tsdb'),
    'web.listen-address': `127.0.0.1:${port}`,
  };
  const flags = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const child = startBound('prometheus', flags, join(folder, 'prometheus.log'));
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/-/ready`)).ok, {
    what: 'Prometheus to be ready',
    timeoutMs: READY_MS,
    hopeless: () => child.exited(),
  });
  return { child, url };
}

/** Installs its kinds, and starts the controller with no limits on how often it may ask the API server. */
export async function startArgo(folder: string, namespace: string): Promise<ArgoControllers> {
  const program = await findBinary('argo-rollouts', console.error);
  const { module } = toolNamed('argo-rollouts');
  const go = await goCommand(module, console.error);
  const [directory, version] = await Promise.all(
    ['{{.Dir}}', '{{.Version}}'].map((format) => run(go, ['list', '-m', '-f', format, MODULE], { cwd: module })),
  );
  await installDefinitions(accessOf(KUBECONFIG), join(directory ?? '', 'manifests', 'crds'));
  const { child: prometheus, url } = await startPrometheus(folder, namespace);
  const [healthz = 0, metrics = 0] = await freePorts(2);
  const flags = [
    `--kubeconfig=${KUBECONFIG}`,
    '--namespaced',
    `--namespace=${namespace}`,
    '--leader-elect=false',
    '--qps=1000',
    '--burst=1000',
    `--healthzPort=${healthz}`,
    `--metricsPort=${metrics}`,
  ];
  const controller = startBound(program, flags, join(folder, 'argo-rollouts.log'));
  await until(async () => (await fetch(`http://127.0.0.1:${healthz}/healthz`)).ok, {
    what: 'Argo Rollouts to be ready',
    timeoutMs: READY_MS,
    hopeless: () => controller.exited(),
  });
  const stop = async (): Promise<void> => {
    await Promise.all([controller.end(), prometheus.end()]);
  };
  return { prometheusUrl: url, version: version ?? '', stop };
}
