import { randomBytes } from 'node:crypto';
import { shadowOrderSchema } from '@slipway/crds/contract';
import { servingSettingsSchema } from '@slipway/crds/serving';
import type { Exchange } from '../server/evidence/modelEvidence.ts';
import { type ModelObservation, Observatory } from '../server/observe/observatory.ts';
import type { TensorValue } from '../server/tensor.ts';

const CALLS = 200_000;
const ROUNDS = 101;

const row = (name: string, width: number): TensorValue => ({
  name,
  datatype: 'FP32',
  shape: [1, width],
  elements: new Float32Array(width),
});

const exchange = (wanted: number): Exchange => ({
  wanted,
  id: undefined,
  protocol: 'rest',
  traceparent: undefined,
  startedAt: 0,
  answered: { outcome: 'ok', protocol: 'rest', latencyMs: 1 },
  inputs: [row('x', 30)],
  outcome: { outputs: [row('y', 2)], batchRows: 1, queueMs: 0, computeMs: 0, cached: false, run: undefined },
});

function observatoryOf(): Observatory {
  const log = { info: () => undefined, error: (_: object, sentence: string) => console.error(sentence) };
  return new Observatory(servingSettingsSchema.parse({}), {
    log,
    now: () => performance.now(),
    random: Math.random,
    randomBytes,
    version: 'bench',
    resource: {},
    threadEntry: new URL('../server/observe/thread/entry.ts', import.meta.url),
  });
}

/** Nanoseconds of this thread's CPU a call. */
function costOf(observation: ModelObservation): number {
  let wanted = 0;
  const before = process.threadCpuUsage();
  for (let i = 0; i < CALLS; i++) wanted += observation.wants(undefined, false);
  const { user, system } = process.threadCpuUsage(before);
  if (wanted > 0) throw new Error('there was room for a copy: the candidate does not hang');
  return ((user + system) * 1000) / CALLS;
}

/**
 * What a request costs the thread of the sockets more while every one should be copied and the candidate hangs, its
 * queue full: nanoseconds of CPU, one difference a round of 200,000 calls with an order and as many without.
 */
export async function decisionCosts(hangingTarget: string): Promise<readonly number[]> {
  const observatory = observatoryOf();
  const signature = { inputs: [], outputs: [] };
  const model = { signature, features: [], labels: undefined };
  const [copied, plain] = ['copied', 'plain'].map((name) =>
    observatory.observe({ identity: { name, version: '1', digest: 'sha256:0' }, ...model }),
  ) as [ModelObservation, ModelObservation];
  try {
    const order = { id: 'bench', target: hangingTarget, percent: 100, expiresInSeconds: 300 };
    copied.orderShadow(shadowOrderSchema.parse(order));
    for (let wanted = copied.wants(undefined, false); wanted; wanted = copied.wants(undefined, false))
      copied.take(exchange(wanted));
    costOf(copied);
    costOf(plain);
    return Array.from({ length: ROUNDS }, () => costOf(copied) - costOf(plain));
  } finally {
    await observatory.close();
  }
}
