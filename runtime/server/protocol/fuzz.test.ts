import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { corpusOf, mutated } from '../../test/mutations.ts';
import { type ProtocolModel, protocolModel, tensor, tensorOf } from '../../test/protocolModel.ts';
import { RequestError } from '../requestError.ts';
import { inferJson, type Pending } from './infer.ts';
import { planOf } from './inferPlan.ts';
import { isWide } from './json/datatypes.ts';
import { readRegion } from './json/region.ts';
import { parseJson, readValues } from './json/values.ts';
import { readRaw } from './rawTensor.ts';
import { MAX_ELEMENTS } from './tensorHeader.ts';
import { predict } from './v1/predict.ts';

/**
 * Fuzz targets: every parser on kept inputs (corpus/) with random changes. Whatever comes in, there is an answer or a
 * refusal of the caller in one sentence, and no room stays leased. Longer: SLIPWAY_PROPERTY_RUNS=1000000.
 */
const corpus = new URL('./corpus/', import.meta.url);

const numbers = (): ProtocolModel =>
  protocolModel({
    inputs: [tensor('a', 'FP32', [-1, 2], ['a0', 'a1']), tensor('b', 'INT64', [-1])],
    outputs: [tensor('y', 'FP32', [-1, 2]), tensor('z', 'INT64', [-1])],
  });
const texts = (): ProtocolModel =>
  protocolModel({
    inputs: [tensor('t', 'BYTES', [-1]), tensor('k', 'BOOL', [-1, 1])],
    outputs: [tensor('s', 'FP64', [-1, 2])],
  });
const single = (): ProtocolModel => protocolModel({ inputs: [tensor('a', 'FP32', [-1, 2])], outputs: [] });
const text = (): ProtocolModel => protocolModel({ inputs: [tensor('t', 'BYTES', [-1])], outputs: [] });

/** Each run takes the time it takes: so many that all of a target take about two seconds. */
const runs = (numRuns: number) => (process.env['SLIPWAY_PROPERTY_RUNS'] === undefined ? { numRuns } : {});

function refusalOf(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    const { status, message } = error as RequestError;
    expect([400, 422]).toContain(status);
    expect(message).toMatch(/^[^\n]{5,600}[.]$/);
    return message;
  }
}

/** Reads with a model, checks the conduct, and answers what was read; undefined for a refusal. */
function leased(model: ProtocolModel, read: (model: ProtocolModel) => Pending, bodyBytes: number) {
  const before = { ...model.leases };
  let pending: Pending | undefined;
  refusalOf(() => {
    pending = read(model);
  });
  if (!pending) {
    expect(model.leases.given - before.given).toBe(model.leases.released - before.released);
    return undefined;
  }
  expect(model.leases.given - before.given).toBe(1);
  expect(model.leases.released).toBe(before.released);
  pending.lease.release();
  for (const { elements } of pending.lease.inputs) expect(elements.length).toBeLessThanOrEqual(bodyBytes);
  return pending;
}

describe.each([
  ['numbers', numbers()],
  ['texts', texts()],
  ['one tensor', single()],
  ['one text', text()],
])('a model of %s', (_, model) => {
  const kinds = model.signature.inputs.length > 1 ? ['infer', 'binary', 'rows'] : ['raw', 'infer', 'binary'];

  test('answers or refuses every infer body', () => {
    fc.assert(
      fc.property(mutated(corpusOf(corpus, ...kinds)), ({ bytes, headerLength }) => {
        leased(model, (asked) => inferJson(bytes, headerLength, asked, { now: 0 }) as Pending, bytes.length);
      }),
      runs(3000),
    );
  });

  test('answers or refuses every V1 body', () => {
    fc.assert(
      fc.property(mutated(corpusOf(corpus, 'v1')), ({ bytes }) => {
        leased(model, (asked) => predict(bytes, undefined, asked, { now: 0 }), bytes.length);
      }),
      runs(2000),
    );
  });
});

test('what is read from the bytes is what JSON.parse reads, and what it refuses is refused', () => {
  const model = numbers();
  fc.assert(
    fc.property(mutated(corpusOf(corpus, 'infer')), ({ bytes }) => {
      const read = leased(model, (asked) => inferJson(bytes, undefined, asked, { now: 0 }) as Pending, bytes.length);
      const fault = refusalOf(() => {
        const plan = planOf(parseJson(bytes, true), model, MAX_ELEMENTS, undefined);
        if (plan.binaryBytes > 0 || plan.largest > bytes.length) throw new RequestError(400, 'The sizes are wrong.');
        if (read) expect(read.id).toBe(plan.id);
        plan.sources.forEach((source, i) => {
          const position = plan.positions[i] as number;
          const { name, datatype } = model.signature.inputs[position] as { name: string; datatype: 'FP32' };
          const room = tensorOf(name, datatype, plan.shapes[position] as readonly number[], []);
          readValues('values' in source ? source.values : undefined, room);
          if (read) expect(read.lease.inputs[position]?.elements).toEqual(room.elements);
        });
      });
      expect(read === undefined).toBe(fault !== undefined);
    }),
    runs(4000),
  );
});

test.each(['FP32', 'INT8', 'INT64', 'UINT64', 'BOOL', 'FP16', 'BYTES'] as const)(
  'a list of %s is read or refused as JSON.parse does it, wherever it ends',
  (datatype) => {
    const lists = [
      '[1, -2.5, 3e1, 0.12345679104328156]',
      '[[9007199254740993, 1], [true, "NaN"]]',
      '["a", "9", false, 0]',
    ].map((list) => ({ name: 'list', bytes: Buffer.from(list), headerLength: undefined }));
    fc.assert(
      fc.property(mutated(lists), fc.constantFrom([4], [2, 2], [1, 4], [0], []), ({ bytes }, shape) => {
        const read = tensorOf('x', datatype, shape, []);
        const wanted = tensorOf('x', datatype, shape, []);
        const fault = refusalOf(() => readRegion(bytes, 0, bytes.length, read));
        const expected = refusalOf(() => readValues(parseJson(bytes, isWide(datatype)), wanted));
        expect(fault).toBe(expected);
        if (fault === undefined) expect(read.elements).toEqual(wanted.elements);
      }),
      runs(1500),
    );
  },
);

test('raw tensors are read whole or refused', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      fc.constantFrom('BOOL', 'INT16', 'FP32', 'INT64', 'BYTES'),
      fc.constantFrom([], [2], [0], [3, 2]),
      (bytes, datatype, shape) => {
        refusalOf(() => readRaw(bytes, tensorOf('x', datatype as 'FP32', shape, [])));
      },
    ),
    runs(3000),
  );
});
