import { RESPONSE_HEADERS } from '@slipway/crds/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Answered, Exchange, UnservedExchange } from '../evidence/modelEvidence.ts';
import { WANTED } from '../observe/observation.ts';
import { RequestError } from '../requestError.ts';
import { mirror, openTestModel, type TestModel, words } from '../rest/testing/models.ts';
import type { Plain } from './proto/codec.ts';
import { refusalOf, TestClient } from './testing/client.ts';
import { echo, floatsOf, pair, pairOf, pairRequest, rawFloats, SAMPLES, texts } from './testing/models.ts';
import { serving } from './testing/serving.ts';

const open: Record<string, TestModel> = {};
beforeAll(async () => {
  for (const model of [echo, pair, mirror, words]) open[model.name] = await openTestModel(model);
});
afterAll(() => Promise.all(Object.values(open).map(({ close }) => close())));

const models = () => Object.values(open).map(({ model }) => model);

async function started(setup: Parameters<typeof serving>[1] = {}) {
  const server = await serving(models(), setup);
  return { ...server, client: new TestClient(server.address) };
}

const inputs = SAMPLES.map(([datatype]) => ({ name: `in_${datatype}`, datatype, shape: [2] }));
const typed = SAMPLES.filter(([, , contents]) => contents !== undefined);

describe('every datatype', () => {
  test('goes through raw contents both ways, in the order of the request', async () => {
    const { client } = await started();
    const reversed = SAMPLES.toReversed();
    const { message } = await client.call('ModelInfer', {
      model_name: 'echo',
      id: 'all',
      inputs: inputs.toReversed(),
      outputs: SAMPLES.map(([datatype]) => ({ name: `out_${datatype}` })),
      raw_input_contents: reversed.map(([, bytes]) => bytes),
    });
    expect(message).toMatchObject({ model_name: 'echo', model_version: '1', id: 'all' });
    const outputs = message['outputs'] as Plain[];
    expect(outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual(
      SAMPLES.map(([datatype]) => [`out_${datatype}`, datatype, ['2']]),
    );
    expect(message['raw_output_contents']).toEqual(SAMPLES.map(([, bytes]) => bytes));
    expect(outputs.every(({ contents }) => contents === undefined)).toBe(true);
  });

  test.each(typed)('%s goes through typed contents both ways', async (datatype, _bytes, contents) => {
    const one = await openTestModel({
      ...echo,
      inputs: echo.inputs.filter(({ type }) => type === datatype),
      outputs: echo.outputs.filter(({ type }) => type === datatype),
      nodes: echo.nodes.filter(({ outputs: [name] }) => name === `out_${datatype}`),
    });
    const { address } = await serving([one.model]);
    const { message } = await new TestClient(address).call('ModelInfer', {
      model_name: 'echo',
      inputs: [{ name: `in_${datatype}`, datatype, shape: [2], contents }],
    });
    expect(message['outputs']).toEqual([
      { name: `out_${datatype}`, datatype, shape: ['2'], contents, ...noParameters(message) },
    ]);
    expect(message['raw_output_contents']).toBeUndefined();
    await one.close();
  });
});

/** decode leaves out what was not sent; a map that is there would be shown. */
const noParameters = (message: Plain) =>
  (message['outputs'] as Plain[])[0]?.['parameters'] === undefined ? {} : { parameters: {} };

test('an answer carries the version and digest of its model, an error too', async () => {
  const { client } = await started();
  const { metadata } = await client.call('ModelInfer', pairRequest(1, 2));
  expect(metadata.get(RESPONSE_HEADERS.version)).toEqual(['1']);
  expect(metadata.get(RESPONSE_HEADERS.digest)).toEqual([open['pair']?.model.identity.digest]);
  const refused = await refusalOf(client.call('ModelInfer', { ...pairRequest(1, 2), raw_input_contents: [] }));
  expect(refused.metadata.get(RESPONSE_HEADERS.version)).toEqual(['1']);
});

test('requested outputs come in the order asked for, and as classes where that is asked', async () => {
  const { client } = await started();
  const { message } = await client.call('ModelInfer', {
    model_name: 'mirror',
    inputs: [
      { name: 'n', datatype: 'INT8', shape: [1, 1], contents: { int_contents: [5] } },
      { name: 'x', datatype: 'FP32', shape: [1, 2], contents: { fp32_contents: [0.25, 0.75] } },
    ],
    outputs: [{ name: 'n_out' }, { name: 'x_out', parameters: { classification: { int64_param: 1 } } }],
  });
  expect(message['outputs']).toMatchObject([
    { name: 'n_out', contents: { int_contents: [5] } },
    { name: 'x_out', datatype: 'BYTES', shape: ['1', '1'], contents: { bytes_contents: [Buffer.from('0.75:1')] } },
  ]);
});

test('messages may be packed both ways', async () => {
  const { client, address } = await started();
  const numbers = Array.from({ length: 4000 }, (_, i) => i % 7);
  for (const algorithm of [1, 2]) {
    const packing = new TestClient(address, { 'grpc.default_compression_algorithm': algorithm });
    for (const values of [numbers, numbers.slice(0, 2)]) {
      const answer = await packing.call('ModelInfer', pairRequest(...values));
      expect(floatsOf(answer.message)).toEqual(values);
    }
  }
  expect(floatsOf((await client.call('ModelInfer', pairRequest(...numbers))).message)).toEqual(numbers);
});

test('kserve#3717, MLServer#290: messages of many frames come and go whole', async () => {
  const { client } = await started();
  const numbers = Float32Array.from({ length: 600_000 }, (_, i) => Math.sin(i));
  const answers = await Promise.all([1, 2, 3].map(() => client.call('ModelInfer', pairOf(numbers))));
  for (const { message } of answers)
    expect(Buffer.from(rawFloats(message).buffer).equals(Buffer.from(numbers.buffer))).toBe(true);
}, 30_000);

const request = (change: Plain): Plain => ({ ...pairRequest(1, 2), ...change });
const x = { name: 'x', datatype: 'FP32', shape: [1, 2] };
const eight = Buffer.alloc(8);
const INVALID = 3;

const refusals: readonly [string, Plain, number, RegExp][] = [
  ['no model', request({ model_name: '' }), INVALID, /names no model/],
  [
    'an unknown model',
    request({ model_name: 'nobody' }),
    5,
    /There is no model "nobody" here; this server has "echo", /,
  ],
  ['an unknown version', request({ model_version: '9' }), 5, /no version "9" of "pair" here, only "1"/],
  ['no inputs', request({ inputs: [], raw_input_contents: [] }), INVALID, /Input "x" is missing/],
  ['an unknown input', request({ inputs: [{ ...x, name: 'z' }] }), INVALID, /no input "z"; the model takes "x"/],
  ['an input twice', request({ inputs: [x, x], raw_input_contents: [eight, eight] }), INVALID, /"x" stands twice/],
  [
    'another datatype',
    request({ inputs: [{ ...x, datatype: 'FP64' }] }),
    INVALID,
    /datatype "FP64" given, the model takes FP32/,
  ],
  ['no datatype', request({ inputs: [{ ...x, datatype: '' }] }), INVALID, /the model takes FP32/],
  ['another rank', request({ inputs: [{ ...x, shape: [2] }] }), INVALID, /shape \[2\] does not fit \[-1,2\]/],
  ['another dimension', request({ inputs: [{ ...x, shape: [1, 3] }] }), INVALID, /does not fit/],
  ['a negative dimension', request({ inputs: [{ ...x, shape: [-1, 2] }] }), INVALID, /none below 0/],
  [
    'no rows',
    request({ inputs: [{ ...x, shape: [0, 2] }], raw_input_contents: [Buffer.alloc(0)] }),
    INVALID,
    /holds no row/,
  ],
  [
    'a shape beyond its bytes',
    request({ inputs: [{ ...x, shape: [2 ** 40, 2] }] }),
    INVALID,
    /at most \d+ can be here/,
  ],
  [
    'raw bytes that are too few',
    request({ raw_input_contents: [Buffer.alloc(7)] }),
    INVALID,
    /7 bytes given, shape \[1,2\] of FP32 needs 8/,
  ],
  ['raw bytes that are too many', request({ raw_input_contents: [Buffer.alloc(9)] }), INVALID, /9 bytes given/],
  [
    'raw contents beside typed',
    request({ inputs: [{ ...x, contents: { fp32_contents: [1, 2] } }] }),
    INVALID,
    /has contents beside raw_input_contents; send one or the other/,
  ],
  [
    'more raw entries than inputs',
    request({ raw_input_contents: [eight, eight] }),
    INVALID,
    /has 2 entries for 1 inputs/,
  ],
  [
    'no contents at all',
    request({ raw_input_contents: [] }),
    INVALID,
    /0 elements in fp32_contents, shape \[1,2\] needs 2/,
  ],
  [
    'shared memory',
    request({ inputs: [{ ...x, parameters: { shared_memory_region: { string_param: 'r' } } }] }),
    INVALID,
    /^Shared memory is not served; .* of input "x" with/,
  ],
  [
    'an output in shared memory',
    request({ outputs: [{ name: 'y', parameters: { shared_memory_region: { string_param: 'r' } } }] }),
    INVALID,
    /^Shared memory is not served; .* of output "y" with/,
  ],
  [
    'a sequence',
    request({ parameters: { sequence_id: { int64_param: 7 } } }),
    INVALID,
    /^Sequences are not kept here;/,
  ],
  ['an unknown output', request({ outputs: [{ name: 'z' }] }), INVALID, /no output "z"; the model gives "y"/],
  ['an output twice', request({ outputs: [{ name: 'y' }, { name: 'y' }] }), INVALID, /"y" stands twice/],
  [
    'a timeout that is text',
    request({ parameters: { timeout: { string_param: 'soon' } } }),
    INVALID,
    /"timeout" must be a whole number of microseconds/,
  ],
  ['a timeout below 0', request({ parameters: { timeout: { int64_param: -1 } } }), INVALID, /"timeout" must be/],
  [
    'a priority that is no number',
    request({ parameters: { priority: { bool_param: true } } }),
    INVALID,
    /"priority" must be a whole number/,
  ],
  ['a parameter without a value', request({ parameters: { timeout: {} } }), INVALID, /"timeout" has no value/],
  [
    'classes that are no number',
    request({ outputs: [{ name: 'y', parameters: { classification: { string_param: 'all' } } }] }),
    INVALID,
    /whole number of classes/,
  ],
  [
    'classes of text',
    {
      model_name: 'words',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1] }],
      raw_input_contents: [texts('a')],
      outputs: [{ name: 'text_out', parameters: { classification: { int64_param: 2 } } }],
    },
    INVALID,
    /holds text, which has no largest classes/,
  ],
  [
    'text longer than its bytes',
    {
      model_name: 'words',
      inputs: [{ name: 'text', datatype: 'BYTES', shape: [1] }],
      raw_input_contents: [Buffer.from([9, 0, 0, 0, 65])],
    },
    INVALID,
    /element 0 is 9 bytes long, the bytes end before that/,
  ],
  [
    'rows of unequal number',
    {
      model_name: 'mirror',
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [1, 2] },
        { name: 'n', datatype: 'INT8', shape: [2, 1] },
      ],
      raw_input_contents: [eight, Buffer.alloc(2)],
    },
    INVALID,
    /send equally many/,
  ],
];

test.each(refusals)(
  '%s is refused with its code and a sentence, and leaves nothing behind',
  async (_what, message, code, sentence) => {
    const { client, failures } = await started();
    const refused = await refusalOf(client.call('ModelInfer', message));
    expect([refused.code, refused.details]).toEqual([code, expect.stringMatching(sentence)]);
    expect(refused.details).toMatch(/[.]$/);
    expect(failures).toEqual([]);
    for (const { leased } of Object.values(open)) expect(leased()).toBe(0);
    expect(floatsOf((await client.call('ModelInfer', pairRequest(3, 4))).message)).toEqual([3, 4]);
  },
);

const badBytes: readonly [string, Buffer, number, RegExp][] = [
  ['a message that is cut off', Buffer.from([0x0a, 9, 65]), INVALID, /is cut off/],
  ['bytes that are no message', Buffer.alloc(64, 0xff), INVALID, /longer than ten bytes/],
  ['a name that is not UTF-8', Buffer.from([0x0a, 1, 0xff]), INVALID, /not UTF-8/],
  ['nothing', Buffer.alloc(0), INVALID, /names no model/],
  ['more bytes than a message may have', Buffer.alloc(100_001), 8, /A message may have 100000 bytes at most/],
];

test.each(badBytes)('%s is refused', async (_what, bytes, code, sentence) => {
  const { client } = await started({ limits: { maxBodyBytes: 100_000 } });
  const refused = await refusalOf(client.raw('/inference.GRPCInferenceService/ModelInfer', bytes));
  expect([refused.code, refused.details]).toEqual([code, expect.stringMatching(sentence)]);
});

test('a message that unpacks to more than is allowed is refused', async () => {
  const { address } = await started({ limits: { maxBodyBytes: 100_000 } });
  const packing = new TestClient(address, { 'grpc.default_compression_algorithm': 2 });
  for (const size of [150_000, 30_000_000]) {
    const bomb = packing.raw('/inference.GRPCInferenceService/ModelInfer', Buffer.alloc(size));
    expect(await refusalOf(bomb)).toMatchObject({ code: 8, details: 'A message may have 100000 bytes at most.' });
  }
});

test.each([
  ['/inference.GRPCInferenceService/Nothing', /no method at .*Nothing; the service has ModelInfer, /],
  ['/no.such.Service/Call', /no service at \/no.such.Service\/Call here/],
])('%s is UNIMPLEMENTED', async (path, sentence) => {
  const { client } = await started();
  const refused = await refusalOf(client.raw(path, Buffer.alloc(0)));
  expect([refused.code, refused.details]).toEqual([12, expect.stringMatching(sentence)]);
});

test('what never reaches a model is counted by its reason', async () => {
  const reasons: string[] = [];
  const access = { admit: (key: string | undefined) => (key ? undefined : new RequestError(401, 'Send a key.')) };
  const refusals = { count: (reason: string) => reasons.push(reason) };
  const { client } = await started({ access, refusals, limits: { maxBodyBytes: 1000 } });
  const metadata = { authorization: 'Bearer k' };
  const infer = '/inference.GRPCInferenceService/ModelInfer';
  await refusalOf(client.call('ModelInfer', pairRequest(1, 2)));
  await refusalOf(client.call('ModelInfer', { model_name: 'nobody' }, { metadata }));
  await refusalOf(client.raw(infer, Buffer.from([0xff]), { metadata }));
  await refusalOf(client.raw(infer, Buffer.alloc(1001), { metadata }));
  await client.call('ModelInfer', pairRequest(1, 2), { metadata });
  expect(reasons).toEqual(['unauthorized', 'unknownModel', 'malformed', 'tooLarge']);
});

test('whoever watches requests gets copies of those it wants, and what became of the others', async () => {
  const model = open['pair']?.model as NonNullable<(typeof open)['pair']>['model'];
  const seen: unknown[] = [];
  const observation = {
    ...model.observation,
    wants: (traceparent: string | undefined, shadow: boolean) => {
      seen.push([traceparent, shadow]);
      return WANTED.trace | WANTED.inputs;
    },
    take: ({ inputs, id, protocol }: Exchange) => seen.push([inputs[0]?.elements, id, protocol]),
    failed: ({ status, sentence }: UnservedExchange) => seen.push([status, sentence]),
  };
  const { address } = await serving([{ ...model, observation }]);
  const client = new TestClient(address);
  const metadata = { traceparent: '00-a-b-01', 'slipway-shadow': 'order' };
  await client.call('ModelInfer', { ...pairRequest(5, 6), id: 'w' }, { metadata });
  await refusalOf(client.call('ModelInfer', request({ inputs: [{ ...x, datatype: 'FP64' }] })));
  expect(seen).toEqual([
    ['00-a-b-01', true],
    [new Float32Array([5, 6]), 'w', 'grpc'],
    [400, expect.stringMatching(/datatype "FP64" given/)],
  ]);
});

test('each question is counted once, as what became of it', async () => {
  const model = open['pair']?.model as NonNullable<(typeof open)['pair']>['model'];
  const counted: Answered[] = [];
  const evidence = {
    ...model.evidence,
    remember: (id: string) => counted.push(id as never),
    answered: (one: Answered) => counted.push(one),
    nonFinite: (count: number) => counted.push(count as never),
  };
  const { address } = await serving([{ ...model, evidence } as typeof model]);
  const client = new TestClient(address);
  await client.call('ModelInfer', { ...pairRequest(1, 2, 3, 4), id: 'late' });
  expect(counted).toEqual([expect.objectContaining({ outcome: 'ok', protocol: 'grpc', rows: 2 }), 'late']);
  counted.length = 0;
  await client.call('ModelInfer', pairRequest(Number.NaN, Number.POSITIVE_INFINITY), {
    metadata: { 'x-request-id': 'h' },
  });
  expect(counted).toEqual([2, expect.objectContaining({ outcome: 'ok' }), 'h']);
  counted.length = 0;
  await refusalOf(client.call('ModelInfer', request({ raw_input_contents: [] })));
  expect(counted).toEqual([expect.objectContaining({ outcome: 'clientError', protocol: 'grpc' })]);
});
