import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePackages } from '@slipway/hack/local-cluster/binaries/debian.ts';
import { installedAt } from '@slipway/hack/local-cluster/binaries/installed.ts';
import { startBound } from '@slipway/hack/local-cluster/boundChild.ts';
import { freePorts } from '@slipway/hack/local-cluster/freePort.ts';
import { until } from '@slipway/hack/local-cluster/until.ts';

export interface ScrapeTarget {
  readonly host: string;
  readonly path: string;
  readonly labels: Readonly<Record<string, string>>;
}
export interface RealPrometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/** JSON is YAML. */
const configuration = (targets: readonly ScrapeTarget[]): string =>
  JSON.stringify({
    global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
    scrape_configs: targets.map(({ host, path, labels }, i) => ({
      job_name: `target-${i}`,
      metrics_path: path,
      static_configs: [{ targets: [host], labels }],
    })),
  });

/** Debian's Prometheus on loopback, scraping these targets five times a second, with a data folder that goes with it. */
export async function startPrometheus(targets: readonly ScrapeTarget[]): Promise<RealPrometheus> {
  await ensurePackages(['prometheus'], () => undefined);
  const program = installedAt('prometheus') ?? 'prometheus';
  const folder = await mkdtemp(join(tmpdir(), 'slipway-prometheus-'));
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, configuration(targets));
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const store = `--storage.tsdb.path=${join(folder, 'data')}`;
  const child = startBound(program, [`--config.file=${config}`, listen, store], join(folder, 'log'));
  const ready = async () => (await fetch(`${url}/-/ready`)).ok;
  await until(ready, { timeoutMs: 30_000, what: 'Prometheus is ready', hopeless: () => child.exited() });
  return {
    url,
    stop: async () => {
      await child.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
