import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PORTS } from '@slipway/crds/contract';
import { ensurePackages } from '@slipway/hack/local-cluster/binaries/debian.ts';
import { startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';
import { pods } from '@slipway/operator/api/builtin.ts';
import type { Stage } from '../../story/stage.ts';
import { LABELS } from './manifests.ts';

const LOOK_MS = 200;
const READY_MS = 30_000;

export interface Prometheus {
  readonly url: string;
  stop(): Promise<void>;
}

const scrapeConfig = (targets: string): string =>
  JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [{ job_name: 'pods', file_sd_configs: [{ files: [targets], refresh_interval: '1s' }] }],
  });

async function addresses({ ground, namespace }: Stage): Promise<string[]> {
  const labelSelector = Object.entries(LABELS).map(([name, value]) => `${name}=${value}`);
  const found = await ground.client.list(pods, namespace, { labelSelector: labelSelector.join() });
  return found.flatMap(({ status }) => (status?.podIP === undefined ? [] : [`${status.podIP}:${PORTS.admin}`])).sort();
}

/** Debian's build can't ask an API server for pods, so we do, and tell it by a file. Written whole: it is read at once. */
function followPods(stage: Stage, file: string): () => Promise<void> {
  let running = true;
  let before = '';
  const loop = (async () => {
    while (running) {
      const now = JSON.stringify([{ targets: await addresses(stage).catch(() => []) }]);
      if (now !== before) {
        await writeFile(`${file}.new`, now);
        await rename(`${file}.new`, file);
      }
      before = now;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  })();
  return () => {
    running = false;
    return loop;
  };
}

/** Debian's Prometheus on loopback, which asks each of Argo's pods by its own address each second. */
export async function startPrometheus(stage: Stage, folder: string): Promise<Prometheus> {
  await ensurePackages(['prometheus'], console.error);
  const [port = 0] = await freePorts(1);
  const [config, targets] = [join(folder, 'prometheus.yml'), join(folder, 'targets.json')];
  await writeFile(config, scrapeConfig(targets));
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
  const unfollow = followPods(stage, targets);
  const stop = async (): Promise<void> => {
    await unfollow();
    await child.end();
  };
  return { url, stop };
}
