import type { Baseline, Signature, Tensor } from '@slipway/crds/contract';
import { type ModelSettings, modelSettingsSchema } from '@slipway/crds/serving';
import type { Done, Lease, Order, Outcome, Scheduler } from '../server/batching/scheduler.ts';
import type { ServedModel } from '../server/models/servedModel.ts';
import { roomFor, sizeOf, type TensorValue } from '../server/tensor.ts';

export const tensor = (
  name: string,
  datatype: Tensor['datatype'],
  shape: readonly number[],
  columns?: readonly string[],
): Tensor => ({ name, datatype, shape: [...shape], ...(columns ? { columns: [...columns] } : {}) });

/** A tensor with its elements in memory of their own; numbers are converted as the array converts them. */
export function tensorOf(
  name: string,
  datatype: Tensor['datatype'],
  shape: readonly number[],
  elements: Iterable<unknown>,
): TensorValue {
  const room = roomFor(datatype, sizeOf(shape));
  let i = 0;
  for (const element of elements) (room as unknown[])[i++] = element;
  return { name, datatype, shape, elements: room };
}

export const outcomeOf = (...outputs: readonly TensorValue[]): Outcome => ({
  outputs,
  batchRows: 1,
  queueMs: 0,
  computeMs: 0,
  cached: false,
  run: undefined,
});

/** What the protocol needs of a model, with leases that are counted and nothing that runs. */
export interface ProtocolModel extends ServedModel {
  readonly leases: { given: number; released: number; submitted: number };
  readonly nonFinite: { count: number };
}

export interface ProtocolModelOptions {
  readonly name?: string;
  readonly version?: string;
  readonly labels?: readonly string[];
  readonly batchable?: boolean;
  readonly settings?: Partial<ModelSettings>;
  readonly baseline?: Baseline;
}

export function protocolModel(signature: Signature, options: ProtocolModelOptions = {}): ProtocolModel {
  const leases = { given: 0, released: 0, submitted: 0 };
  const nonFinite = { count: 0 };
  const open = (tensors: readonly Tensor[]) => tensors.every(({ shape }) => shape[0] === -1);
  const batchable = options.batchable ?? (open(signature.inputs) && open(signature.outputs));
  const untold = () => {
    throw new Error('not told to the protocol');
  };
  return {
    identity: { name: options.name ?? 'm', version: options.version ?? '1', digest: 'sha256:00' },
    signature,
    labels: options.labels,
    settings: { ...modelSettingsSchema.parse({}), ...options.settings },
    scheduler: { batchable, lease: (shapes) => leaseOf(signature, shapes, leases), counts: untold, close: untold },
    evidence: {
      baseline: options.baseline,
      ran: untold,
      answered: untold,
      copying: 0,
      copied: untold,
      nonFinite: (count: number) => {
        nonFinite.count += count;
      },
      remember: untold,
      label: untold,
      countUnknownLabels: untold,
      snapshot: untold,
      counts: untold,
    },
    observation: { wants: () => 0, take: untold, failed: untold, close: untold },
    healthy: true,
    example: undefined,
    leases,
    nonFinite,
  };
}

function leaseOf(
  signature: Signature,
  shapes: Parameters<Scheduler['lease']>[0],
  count: ProtocolModel['leases'],
): Lease {
  count.given += 1;
  let over = false;
  const end = (how: 'released' | 'submitted') => {
    if (over) throw new Error('the lease was over already');
    over = true;
    count[how] += 1;
  };
  return {
    inputs: signature.inputs.map(({ name, datatype }, i) => {
      const shape = shapes[i] as readonly number[];
      return { name, datatype, shape, elements: roomFor(datatype, sizeOf(shape)) };
    }),
    submit(_order: Order, done: Done) {
      end('submitted');
      queueMicrotask(() => done(undefined, outcomeOf()));
      return { cancel() {} };
    },
    release: () => end('released'),
  };
}
