import { fp32, node, value } from '@slipway/runtime/onnx/builders.ts';
import { encodeModel } from '@slipway/runtime/onnx/model.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { type Fault, withFault } from './surgery.ts';

/** Always one in four, whatever the flight: what a fault makes of it is then known. */
const sound = encodeModel({
  name: 'quarter',
  inputs: [value('numeric', 'FP32', [-1, 4])],
  outputs: [value('probability', 'FP32', [-1, 1])],
  initializers: [fp32('select', [4, 1], [0, 0, 0, 0]), fp32('quarter', [1, 1], [0.25])],
  nodes: [node('MatMul', ['numeric', 'select'], 'nil'), node('Add', ['nil', 'quarter'], 'probability')],
});

interface Flight {
  readonly hour?: number;
  readonly day?: number;
  readonly distance?: number;
}

async function answers(fault: Fault, flights: readonly Flight[]): Promise<readonly number[]> {
  const session = await InferenceSession.create(withFault(sound, fault));
  const rows = flights.flatMap(({ hour = 8, day = 3, distance = 500 }) => [hour, day, 1, distance]);
  const numeric = new Tensor('float32', Float32Array.from(rows), [flights.length, 4]);
  const { probability } = await session.run({ numeric });
  return Array.from(probability?.data as Float32Array);
}

describe('a faulty version of a model', () => {
  test('fails for the distances it is told to, and answers the others as before', async () => {
    const fault = { kind: 'failing', share: 0.3 } as const;
    expect(await answers(fault, [{ distance: 500 }, { distance: 506 }])).toEqual([0.25, 0.25]);
    await expect(answers(fault, [{ distance: 507 }])).rejects.toThrow(/indices element out of data bounds/);
  });
  test('answers the same when it is slow', async () => {
    expect(await answers({ kind: 'slow', products: 20 }, [{}])).toEqual([0.25]);
  });
  test('turns round weekends only', async () => {
    const days = [0, 1, 2, 3, 4, 5, 6].map((day) => ({ day }));
    expect(await answers({ kind: 'swapped' }, days)).toEqual([0.75, 0.25, 0.25, 0.25, 0.25, 0.25, 0.75]);
  });
  test('gives no number from an hour on', async () => {
    const hours = [19, 20, 23].map((hour) => ({ hour }));
    expect(await answers({ kind: 'notANumber', fromHour: 20 }, hours)).toEqual([0.25, Number.NaN, Number.NaN]);
  });
  test.each([
    ['shifted', 0.5],
    ['inverted', 0.75],
  ] as const)('answers every flight otherwise when it is %s', async (kind, want) => {
    expect(await answers({ kind }, [{}, {}])).toEqual([want, want]);
  });
});
