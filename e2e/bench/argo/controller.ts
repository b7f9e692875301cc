import { join } from 'node:path';
import { accessOf } from '@slipway/hack/local-cluster/api.ts';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { goCommand } from '@slipway/hack/local-cluster/binaries/go.ts';
import { toolNamed } from '@slipway/hack/local-cluster/binaries/tools.ts';
import { startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { run } from '@slipway/hack/local-cluster/command.ts';
import { installDefinitions } from '@slipway/hack/local-cluster/customResources.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { KUBECONFIG } from '../../ground/ground.ts';
import type { Stage } from '../../story/stage.ts';
import { startPrometheus } from './prometheus.ts';

const MODULE = 'github.com/argoproj/argo-rollouts';
const READY_MS = 30_000;

/** Argo Rollouts and the Prometheus that it asks, as processes of this machine against the local cluster. */
export interface ArgoControllers {
  readonly prometheusUrl: string;
  /** Of the module that it is built from. */
  readonly version: string;
  stop(): Promise<void>;
}

/** Installs its kinds, and starts the controller with no limits on how often it may ask the API server. */
export async function startArgo(stage: Stage, folder: string): Promise<ArgoControllers> {
  const program = await findBinary('argo-rollouts', console.error);
  const { module } = toolNamed('argo-rollouts');
  const go = await goCommand(module, console.error);
  const [directory, version] = await Promise.all(
    ['{{.Dir}}', '{{.Version}}'].map((format) => run(go, ['list', '-m', '-f', format, MODULE], { cwd: module })),
  );
  await installDefinitions(accessOf(KUBECONFIG), join(directory ?? '', 'manifests', 'crds'));
  const prometheus = await startPrometheus(stage, folder);
  const [healthz = 0, metrics = 0] = await freePorts(2);
  const flags = [
    `--kubeconfig=${KUBECONFIG}`,
    '--namespaced',
    `--namespace=${stage.namespace}`,
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
    await Promise.all([controller.end(), prometheus.stop()]);
  };
  return { prometheusUrl: prometheus.url, version: version ?? '', stop };
}
