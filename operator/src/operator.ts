import { randomUUID } from 'node:crypto';
import type { OperatorConfig } from './config.ts';
import { watchDefinitions } from './definitions/watch.ts';
import { serveIntake } from './intake/server.ts';
import type { Client } from './kube/client.ts';
import { systemClock } from './kube/clock.ts';
import { connect } from './kube/connect.ts';
import type { ControllerSpec } from './kube/contracts.ts';
import type { ElectionOptions } from './kube/lease.ts';
import { Manager } from './kube/manager.ts';
import type { Log } from './kube/observe.ts';
import { serveHealth } from './telemetry/health.ts';
import type { Listening } from './telemetry/listening.ts';
import type { Metrics } from './telemetry/metrics.ts';

const LEASE_NAME = 'slipway-operator';

function electionOf(config: OperatorConfig): Omit<ElectionOptions, 'client'> | undefined {
  if (!config.leaderElection) return undefined;
  const { leaseMs, renewMs, retryMs } = config;
  const key = { namespace: config.operatorNamespace, name: LEASE_NAME };
  return { key, identity: `${config.podName}_${randomUUID()}`, leaseMs, renewMs, retryMs };
}

export interface OperatorOptions {
  readonly config: OperatorConfig;
  readonly controllers: readonly ControllerSpec[];
  readonly log: Log;
  readonly metrics: Metrics;
}

async function takeEvents({ config, log }: OperatorOptions, client: Client): Promise<Listening> {
  const { retrainEventsPort: port = 0, watchNamespaces: namespaces } = config;
  const intake = await serveIntake({ port, client, log, namespaces });
  log.info({ port: intake.port }, 'takes CloudEvents that ask for a retraining');
  return intake;
}

/** The whole operator: runs until `signal` aborts; rejects when it cannot start or loses its lease. */
export async function runOperator(options: OperatorOptions, signal: AbortSignal): Promise<void> {
  const { config, controllers, log } = options;
  const { registry, meter } = options.metrics;
  const connection = await connect({ kubeconfig: config.kubeconfig, http2: config.http2, meter });
  const { transport, close } = connection;
  const definitions = await watchDefinitions({ client: connection.client, transport, log, clock: systemClock });
  const { client } = definitions;
  const manager = new Manager({
    client,
    transport,
    controllers,
    log,
    meter,
    namespaces: config.watchNamespaces,
    instance: config.podName,
    election: electionOf(config),
  });
  const health = await serveHealth({ port: config.healthPort, registry, ready: () => manager.ready() });
  const intake = config.retrainEventsPort === undefined ? undefined : await takeEvents(options, client);
  const scope = config.watchNamespaces.length === 0 ? 'all namespaces' : config.watchNamespaces.join(', ');
  log.info({ health: health.port, scope }, 'started');
  try {
    void definitions.run(signal);
    await manager.run(signal);
  } finally {
    await intake?.close();
    await health.close();
    await close();
  }
}
