import { inferJson, type Pending } from '../server/protocol/infer.ts';
import type { Elements } from '../server/tensor.ts';
import { type ProtocolModel, protocolModel, tensor } from './protocolModel.ts';

export const affine = protocolModel({
  inputs: [tensor('x', 'FP32', [-1, 2])],
  outputs: [tensor('y', 'FP32', [-1, 1])],
});
export const one = (datatype: Parameters<typeof tensor>[1]) =>
  protocolModel({ inputs: [tensor('x', datatype, [-1])], outputs: [tensor('y', datatype, [-1])] });
export const pair = protocolModel({
  inputs: [tensor('a', 'FP32', [-1, 2]), tensor('b', 'INT32', [-1])],
  outputs: [tensor('y', 'FP32', [-1, 3]), tensor('z', 'INT64', [-1])],
});

export const ask = (model: ProtocolModel, body: unknown, headerLength?: number, now = 0): Pending =>
  inferJson(
    Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    headerLength,
    model,
    { now },
  ) as Pending;

export const elementsOf = (pending: Pending): readonly Elements[] => {
  pending.lease.release();
  return pending.lease.inputs.map(({ elements }) => elements);
};

/** A body of JSON and the bytes behind it, with the length of the JSON. */
export function mixed(json: unknown, ...tails: readonly Uint8Array[]): [Buffer, number] {
  const head = Buffer.from(JSON.stringify(json));
  return [Buffer.concat([head, ...tails]), head.length];
}

export const textOf = (answer: { body: string | readonly Uint8Array[] }): string =>
  typeof answer.body === 'string' ? answer.body : Buffer.concat(answer.body).toString();
