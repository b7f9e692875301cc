import { expect, test } from 'vitest';
import { affine, ask, pair, textOf } from '../../test/inferRequests.ts';
import { outcomeOf, protocolModel, tensor, tensorOf } from '../../test/protocolModel.ts';

const x = { name: 'x', datatype: 'FP32', shape: [1, 2] };

const outcome = outcomeOf(
  tensorOf('y', 'FP32', [1, 3], [0.5, 0.25, 2]),
  tensorOf('z', 'INT64', [1], [9007199254740993n]),
);
const inputs = [
  { name: 'a', datatype: 'FP32', shape: [1, 2], data: [1, 2] },
  { name: 'b', datatype: 'INT32', shape: [1], data: [3] },
];

test('the answer names model, version and id, and its numbers are exact', () => {
  const pending = ask(pair, { id: 'q "1"', inputs });
  pending.lease.release();
  expect(pending.order.outputs).toEqual(['y', 'z']);
  expect(textOf(pending.answer(outcome))).toBe(
    '{"model_name":"m","model_version":"1","id":"q \\"1\\"","outputs":[' +
      '{"name":"y","datatype":"FP32","shape":[1,3],"data":[0.5,0.25,2]},' +
      '{"name":"z","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}',
  );
});

test('outputs come in the order asked for, each as text or bytes', () => {
  const outputs = [{ name: 'z' }, { name: 'y', parameters: { binary_data: true } }];
  const pending = ask(pair, { inputs, outputs });
  pending.lease.release();
  expect(pending.order.outputs).toEqual(['z', 'y']);
  const { body, headerLength } = pending.answer(outcomeOf(...[...outcome.outputs].reverse()));
  const all = Buffer.concat(body as Uint8Array[]);
  expect(JSON.parse(all.subarray(0, headerLength).toString())).toMatchObject({
    outputs: [{ name: 'z' }, { name: 'y', parameters: { binary_data_size: 12 } }],
  });
  expect(all.subarray(headerLength)).toEqual(Buffer.from(Float32Array.of(0.5, 0.25, 2).buffer));
});

test('binary_data_output is for all outputs that do not say otherwise', () => {
  const parameters = { binary_data_output: true };
  const pending = ask(pair, {
    inputs,
    parameters,
    outputs: [{ name: 'y', parameters: { binary_data: false } }, { name: 'z' }],
  });
  pending.lease.release();
  const { body, headerLength } = pending.answer(outcome);
  const head = JSON.parse(
    Buffer.concat(body as Uint8Array[])
      .subarray(0, headerLength)
      .toString(),
  );
  expect(head.outputs.map((output: object) => Object.keys(output).at(-1))).toEqual(['data', 'parameters']);
});

test.each([
  [undefined, ['2:2', '0.5:0']],
  [
    ['cat', 'dog', 'ox'],
    ['2:2:ox', '0.5:0:cat'],
  ],
])('the largest classes come as Triton writes them, labels %j', (labels, data) => {
  const model = protocolModel(pair.signature, labels ? { labels } : {});
  const pending = ask(model, { inputs, outputs: [{ name: 'y', parameters: { classification: 2 } }] });
  pending.lease.release();
  expect(JSON.parse(textOf(pending.answer(outcome))).outputs).toEqual([
    { name: 'y', datatype: 'BYTES', shape: [1, 2], data },
  ]);
});

const odd = outcomeOf(tensorOf('y', 'FP32', [1, 1], [Number.NaN]));

test.each([
  ['Null', 'null'],
  ['String', '"NaN"'],
] as const)('with the policy %s a NaN is %s, and the answer says so', (nonFinite, word) => {
  const model = protocolModel(affine.signature, { settings: { nonFinite } });
  const pending = ask(model, { inputs: [{ ...x, data: [1, 2] }] });
  pending.lease.release();
  expect(textOf(pending.answer(odd))).toBe(
    `{"model_name":"m","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[${word}]}],"parameters":{"non_finite":1}}`,
  );
  expect(model.nonFinite.count).toBe(1);
});

test('serve#1304, model_server#4337: with the policy Error a NaN fails the request and is counted; as bytes it goes as it is', () => {
  const model = protocolModel(affine.signature);
  const pending = ask(model, { inputs: [{ ...x, data: [1, 2] }] });
  pending.lease.release();
  expect(() => pending.answer(odd)).toThrow(
    expect.objectContaining({
      kind: 'ModelFailed',
      message: 'element 0 of output "y" is NaN, which JSON cannot carry',
    }),
  );
  const binary = ask(model, { inputs: [{ ...x, data: [1, 2] }], parameters: { binary_data_output: true } });
  binary.lease.release();
  const { body } = binary.answer(odd);
  expect((body as Uint8Array[]).at(-1)).toEqual(new Uint8Array(Float32Array.of(Number.NaN).buffer));
  expect(model.nonFinite.count).toBe(2);
});

test('an answer of many numbers comes in chunks that read as one text', () => {
  const wide = protocolModel({ inputs: [tensor('x', 'FP32', [-1])], outputs: [tensor('y', 'FP32', [-1])] });
  const values = Float32Array.from({ length: 20_000 }, (_, i) => Math.fround(Math.sin(i)));
  const pending = ask(wide, { inputs: [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }] });
  pending.lease.release();
  const answer = pending.answer(outcomeOf(tensorOf('y', 'FP32', [20_000], values)));
  expect(answer.headerLength).toBeUndefined();
  expect(Float32Array.from(JSON.parse(textOf(answer)).outputs[0].data)).toEqual(values);
});
