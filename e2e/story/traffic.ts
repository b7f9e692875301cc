import { until } from '@slipway/hack/local-cluster/until.ts';
import type { InferenceService } from '@slipway/operator/api/kinds.ts';
import { GATEWAY } from '../ground/install.ts';
import { gatewayUrl } from '../load/gateway.ts';
import { type Allowance, type Answer, type Tally, tally } from '../load/ledger.ts';
import { type Row, startProbe } from '../load/probe.ts';
import type { Stage } from './stage.ts';

/** A steady load on one service, with the versions that may answer it at each time. */
export interface Traffic {
  readonly answers: readonly Answer[];
  /** From now on exactly these versions may answer. */
  allow(...versions: string[]): void;
  /** Waits until `count` more answers have come: a settled world is one that has been asked. */
  hear(count: number): Promise<void>;
  tally(...suspects: string[]): Tally;
  stop(): Promise<void>;
}

const HEAR_MS = 30_000;

/** Starts asking `rows` through the gateway, by the host name of the service. */
export async function openTraffic(
  { ground }: Stage,
  service: InferenceService,
  rows: readonly Row[],
  perSecond: number,
): Promise<Traffic> {
  const url = await until(() => gatewayUrl(ground.client, GATEWAY), {
    what: 'address of the gateway',
    timeoutMs: HEAR_MS,
  });
  const host = service.spec.traffic.hostnames?.[0] ?? service.metadata.name;
  const allowances: Allowance[] = [{ from: Date.now(), versions: [service.spec.model.version ?? ''] }];
  const probe = startProbe({ url, host, model: service.spec.model.name, rows, perSecond });
  return {
    answers: probe.answers,
    allow: (...versions) => allowances.push({ from: Date.now(), versions }),
    hear: async (count) => {
      const goal = probe.answers.length + count;
      await until(async () => probe.answers.length >= goal, { what: `${count} answers`, timeoutMs: HEAR_MS });
    },
    tally: (...suspects) => tally(probe.answers, allowances, suspects),
    stop: () => probe.stop(),
  };
}
