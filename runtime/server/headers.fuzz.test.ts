import { evidencePollSchema, REQUEST_HEADERS } from '@slipway/crds/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mutated } from '../test/mutations.ts';
import { protocolModel, tensor } from '../test/protocolModel.ts';
import { KeyRing, parseKeys } from './access/apiKeys.ts';
import { parseHead } from './grpc/head.ts';
import type { ModelRepository } from './models/servedModel.ts';
import { formatTraceparent, parseTraceparent } from './observe/tracing/traceparent.ts';
import { orderOf } from './protocol/order.ts';
import { RequestError } from './requestError.ts';
import { takeFeedback } from './rest/feedback.ts';
import { jsonBody } from './rest/jsonBody.ts';
import { repositoryControl, repositoryIndex } from './rest/repository.ts';

/** Fuzz targets of the small things that come with requests: headers, and the JSON of paths that ask no model. */
const nearly = (...pieces: readonly string[]) =>
  fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 8 })
    .map((parts) => parts.join(''));

const runs = (numRuns: number) => (process.env['SLIPWAY_PROPERTY_RUNS'] === undefined ? { numRuns } : {});

function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    expect([400, 403, 404]).toContain((error as RequestError).status);
    expect((error as RequestError).message).toMatch(/^[^\n]{5,600}[.]$/);
    return undefined;
  }
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

test('any traceparent is a context that can be handed on, or none', () => {
  const texts = fc.oneof(nearly('00', 'ff', '-', TRACE, SPAN, '01', '0'.repeat(32)), nearly(`00-${TRACE}-${SPAN}-01`));
  fc.assert(
    fc.property(texts, (text) => {
      const context = parseTraceparent(text);
      if (context) expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
    }),
    runs(2000),
  );
});

test('any deadline and priority orders the run, or is refused', () => {
  const model = protocolModel({ inputs: [tensor('x', 'FP32', [-1])], outputs: [tensor('y', 'FP32', [-1])] });
  const numbers = nearly('0', '1', '9', '.', '-', 'e', '1000000000000', 'Infinity', 'NaN', ' ');
  const parameter = fc.oneof(numbers, fc.double(), fc.bigInt(), fc.boolean());
  fc.assert(
    fc.property(numbers, numbers, parameter, parameter, (timeoutMs, urgent, timeout, priority) => {
      const headers = { [REQUEST_HEADERS.timeoutMs]: timeoutMs, [REQUEST_HEADERS.priority]: urgent };
      for (const order of [
        readOrRefused(() => orderOf(undefined, undefined, model, 1000, headers)),
        readOrRefused(() => orderOf({ timeout, priority }, undefined, model, 1000, undefined, 60_000)),
      ]) {
        if (!order) continue;
        expect(order.deadline).toBeGreaterThan(1000);
        expect(Number.isSafeInteger(order.priority ?? 0)).toBe(true);
      }
    }),
    runs(3000),
  );
});

test('any Authorization header is somebody’s only where it carries the key', () => {
  const digest = 'fcf730b6d95236ecd3c9fc2d92d7b6b2bb061514961aec041d6c7a7192f592e4'; // of "secret123"
  const ring = new KeyRing(parseKeys(`shop sha256:${digest}`));
  expect(ring.ownerOf('Bearer secret123')).toBe('shop');
  fc.assert(
    fc.property(nearly('Bearer', 'bearer', 'Basic', ' ', 'secret123', 'secret', '\t', ','), (header) => {
      const right = /^bearer +secret123$/i.test(header);
      expect(ring.ownerOf(header)).toBe(right ? 'shop' : undefined);
    }),
    runs(2000),
  );
});

test('any header block of gRPC is a call or a fault', () => {
  const name = fc.oneof(
    fc.constantFrom(':method', ':path', ':scheme', 'content-type', 'grpc-timeout', 'grpc-encoding', 'connection'),
    fc.string({ maxLength: 8 }),
  );
  const value = nearly(
    'POST',
    '/inference.GRPCInferenceService/ModelInfer',
    'http',
    'application/grpc',
    '1',
    'S',
    'm',
    'gzip',
  );
  fc.assert(
    fc.property(fc.array(fc.record({ name, value }), { maxLength: 8 }), fc.boolean(), (fields, tooLarge) => {
      const head = parseHead(fields, tooLarge);
      expect([undefined, 400, 405, 415]).toContain(head.refused);
      expect(head.timeoutMs).toBeGreaterThanOrEqual(0);
      if (!head.fault) expect(['identity', 'gzip', 'deflate']).toContain(head.encoding);
    }),
    runs(2000),
  );
});

const bodies = (...texts: readonly string[]) =>
  mutated(texts.map((text, i) => ({ name: String(i), bytes: Buffer.from(text), headerLength: undefined }))).map(
    ({ bytes }) => bytes,
  );

const POLLS = [
  '{"shadow":{"id":"r1/2/abc","target":"http://10.0.0.1:8080","percent":100,"expiresInSeconds":15},"session":null}',
  '{"session":{"id":"r1/2","header":"x-user","salt":"r1","share":1000,"arm":"stable","other":"http://10.0.0.1"}}',
  '{"peers":{"urls":["http://10.0.0.7:8080"],"expiresInSeconds":10}}',
];

test('any poll of the operator is an order or refused', () => {
  const read = (bytes: Buffer) => jsonBody(bytes, evidencePollSchema, 'a poll');
  for (const poll of POLLS) expect(read(Buffer.from(poll))).toEqual(expect.any(Object));
  fc.assert(
    fc.property(bodies(...POLLS), (bytes) => {
      const poll = readOrRefused(() => read(bytes));
      if (poll?.shadow) expect(() => new URL(poll.shadow?.target as string)).not.toThrow();
    }),
    runs(2000),
  );
});

/** A server of one model whose labels are all unknown. */
const repository = {
  controllable: true,
  names: () => ['m'],
  find: (name: string) =>
    name === 'm' ? { evidence: { label: () => 'unknown', countUnknownLabels: () => {} } } : undefined,
  knows: (name: string) => name === 'm',
  index: () => [],
  load: async () => {},
  unload: async () => {},
} as unknown as ModelRepository;

test('any feedback is counted or refused, whole', async () => {
  const labels = bodies('[{"id":"r1","label":"late"},{"id":7,"label":true,"model":"m"}]', '{"id":"r1","label":0.5}');
  await fc.assert(
    fc.asyncProperty(labels, async (bytes) => {
      const answer = await readOrRefused(() => takeFeedback(repository, bytes, 0));
      if (answer) expect(JSON.parse(String(answer.body))).toMatchObject({ right: 0, wrong: 0 });
    }),
    runs(1000),
  );
});

test('any order to the repository is carried out or refused', async () => {
  const orders = bodies(
    '',
    '{"ready":true}',
    '{"parameters":{"unload_dependents":true}}',
    '{"parameters":{"config":"{}"}}',
  );
  await fc.assert(
    fc.asyncProperty(orders, fc.constantFrom('load', 'unload'), async (bytes, control) => {
      readOrRefused(() => repositoryIndex(repository, bytes));
      const done = await repositoryControl(repository, control as 'load', 'm', bytes).catch((error: unknown) => error);
      if (done instanceof Error)
        readOrRefused(() => {
          throw done;
        });
      else expect(done).toMatchObject({ status: 200 });
    }),
    runs(1000),
  );
});
