import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { slow } from '../../test/artifacts.ts';
import type { Access } from '../access/access.ts';
import type { Done } from '../batching/scheduler.ts';
import type { Answered } from '../evidence/modelEvidence.ts';
import type { ServedModel } from '../models/servedModel.ts';
import { RequestError } from '../requestError.ts';
import { openTestModel, type TestModel } from '../rest/testing/models.ts';
import { INFERENCE, refusalOf, TestClient } from './testing/client.ts';
import { floatsOf, pair, pairRequest } from './testing/models.ts';
import { serving } from './testing/serving.ts';

let open: TestModel;
beforeAll(async () => {
  open = await openTestModel(pair);
});
afterAll(() => open.close());

async function started(setup: Parameters<typeof serving>[1] = {}, models: readonly ServedModel[] = [open.model]) {
  const server = await serving(models, setup);
  return { ...server, client: new TestClient(server.address) };
}

/** The model with a queue that answers when it is told to: `answers` holds what is waiting. */
function held() {
  const answers: (() => void)[] = [];
  const cancelled: number[] = [];
  const counted: Answered[] = [];
  const { model } = open;
  onTestFinished(() => {
    for (const answer of answers) answer();
  });
  const scheduler: ServedModel['scheduler'] = {
    batchable: true,
    lease(shapes, urgency) {
      const lease = model.scheduler.lease(shapes, urgency);
      return {
        inputs: lease.inputs,
        release: () => lease.release(),
        submit(order, done: Done) {
          let waits = true;
          const answer = () => {
            if (waits) lease.submit(order, done);
            waits = false;
          };
          const index = answers.push(answer) - 1;
          return { cancel: () => void cancelled.push(index) };
        },
      };
    },
    counts: () => model.scheduler.counts(),
    close: () => model.scheduler.close(),
  };
  const evidence = {
    ...model.evidence,
    remember: () => undefined,
    nonFinite: () => undefined,
    answered: (one: Answered) => counted.push(one),
  };
  return { model: { ...model, scheduler, evidence } as ServedModel, answers, cancelled, counted };
}

const leaving = {
  drainMs: 0,
  patienceMs: 10_000,
  pause: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms).unref()),
};

test('200 calls at once on one connection are all answered, each with its own', async () => {
  const { client, grpc } = await started();
  const calls = Array.from({ length: 200 }, (_, i) => client.call('ModelInfer', { ...pairRequest(i, -i), id: `${i}` }));
  const answers = await Promise.all(calls);
  answers.forEach(({ message }, i) => {
    expect(message['id']).toBe(`${i}`);
    expect(floatsOf(message)).toEqual([i, -i]);
  });
  expect(grpc.inFlight).toBe(0);
});

describe('a caller that goes', () => {
  test('takes its work with it, and is counted as one', async () => {
    const { model, answers, cancelled, counted } = held();
    const { address } = await started({}, [model]);
    const client = new TestClient(address);
    const stream = client.stream(
      `/${INFERENCE}/ModelStreamInfer`,
      'inference.ModelInferRequest',
      'inference.ModelStreamInferResponse',
    );
    stream.on('error', () => undefined);
    stream.write(pairRequest(1, 2));
    stream.write(pairRequest(3, 4));
    await vi.waitFor(() => expect(answers.length).toBe(2));
    stream.cancel();
    await vi.waitFor(() => expect(cancelled).toEqual([0, 1]));
    expect(counted.map(({ outcome }) => outcome)).toEqual(['clientError', 'clientError']);
    for (const answer of answers) answer();
  });

  test('by its deadline too', async () => {
    const { model, answers, cancelled } = held();
    const { address } = await started({}, [model]);
    const call = new TestClient(address).call('ModelInfer', pairRequest(1, 2), { deadline: Date.now() + 150 });
    expect(await refusalOf(call)).toMatchObject({ code: 4 });
    await vi.waitFor(() => expect(cancelled).toEqual([0]));
    for (const answer of answers) answer();
  });
});

test.each([
  ['its deadline', { deadline: 250 }],
  ['its header', { metadata: { 'slipway-timeout-ms': '250' } }],
] as const)('the caller says by %s how long it waits', async (_what, setup) => {
  const deadlines: (number | undefined)[] = [];
  const { model } = held();
  const lease: ServedModel['scheduler']['lease'] = (shapes, urgency) => {
    deadlines.push(urgency?.deadline);
    return open.model.scheduler.lease(shapes, urgency);
  };
  const { client } = await started({ elapsed: () => 1000 }, [{ ...model, scheduler: { ...model.scheduler, lease } }]);
  const call = 'deadline' in setup ? { deadline: Date.now() + setup.deadline } : setup;
  await client.call('ModelInfer', pairRequest(1, 2), call).catch(() => undefined);
  const [deadline = 0] = deadlines;
  expect(deadline).toBeGreaterThan(1000);
  expect(deadline).toBeLessThanOrEqual(1250);
});

test('a model that fails is INTERNAL, one that takes longer than requests may is DEADLINE_EXCEEDED', async () => {
  const model = await openTestModel(slow);
  const { client } = await started({ limits: { requestTimeoutMs: 1 } }, [model.model]);
  const message = {
    model_name: 'slow',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1] }],
    raw_input_contents: [Buffer.alloc(4)],
  };
  expect(await refusalOf(client.call('ModelInfer', message))).toMatchObject({ code: 4 });
  await model.close();
}, 30_000);

describe('keys', () => {
  const access: Access = {
    admit: (authorization) =>
      authorization === 'Bearer right'
        ? undefined
        : authorization === 'Bearer often'
          ? new RequestError(429, 'Too many requests: come again in 3 seconds.', { 'retry-after': '3' })
          : new RequestError(401, 'Send an API key.', { 'www-authenticate': 'Bearer realm="slipway"' }),
  };

  test.each([
    [{}, 16, 'Send an API key.'],
    [{ authorization: 'Bearer wrong' }, 16, 'Send an API key.'],
    [{ authorization: 'Bearer often' }, 8, 'Too many requests: come again in 3 seconds.'],
  ])('%o is refused', async (metadata, code, details) => {
    const { client } = await started({ access });
    const refused = await refusalOf(client.call('ModelInfer', pairRequest(1, 2), { metadata }));
    expect(refused).toMatchObject({ code, details });
    expect(refused.metadata.get('grpc-retry-pushback-ms')).toEqual(code === 8 ? ['3000'] : []);
    expect(await refusalOf(client.call('ModelMetadata', { name: 'pair' }, { metadata }))).toMatchObject({ code });
  });

  test('the right one lets in; probes need none', async () => {
    const { client } = await started({ access });
    const { message } = await client.call('ModelInfer', pairRequest(1, 2), {
      metadata: { authorization: 'Bearer right' },
    });
    expect(floatsOf(message)).toEqual([1, 2]);
    for (const probe of ['ServerLive', 'ServerReady']) await client.call(probe, {});
    await client.call('ModelReady', { name: 'pair' });
    await client.ask('grpc.health.v1.Health', 'Check', {}, 'grpc.health.v1.HealthCheck');
  });
});

describe('a stream', () => {
  const streamOf = (client: TestClient) => {
    const stream = client.stream(
      `/${INFERENCE}/ModelStreamInfer`,
      'inference.ModelInferRequest',
      'inference.ModelStreamInferResponse',
    );
    const ended = new Promise<{ code: number; details: string }>((resolve) =>
      stream.on('error', (e) => resolve(e as never)),
    );
    return { stream, ended };
  };

  test('counts for the rate of its caller with each message', async () => {
    let calls = 0;
    const often = new RequestError(429, 'Too many requests: come again in 3 seconds.');
    const access: Access = { admit: () => (++calls > 3 ? often : undefined) };
    const { client } = await started({ access });
    const { stream } = streamOf(client);
    for (let i = 0; i < 5; i++) stream.write({ ...pairRequest(i, 0), id: `${i}` });
    stream.end();
    const sentences: unknown[] = [];
    for await (const { error_message } of stream) sentences.push(error_message);
    expect(sentences).toEqual([undefined, undefined, undefined, often.message, often.message]);
  });

  test('is ended when the answers that wait for an earlier one are too large', async () => {
    const { model } = held();
    const { address } = await started({}, [model]);
    const { stream, ended } = streamOf(new TestClient(address));
    stream.write(pairRequest(1, 2));
    const id = 'i'.repeat(1024 * 1024);
    for (let i = 0; i < 20; i++) stream.write({ model_name: 'nobody', id });
    expect(await ended).toMatchObject({ code: 8, details: expect.stringMatching(/^Read the answers of a stream/) });
  });

  test('that asks without end and waits for nothing is ended', async () => {
    const { model, cancelled } = held();
    const { address } = await started({}, [model]);
    const { stream, ended } = streamOf(new TestClient(address));
    stream.write(pairRequest(1, 2));
    for (let i = 0; i < 5000; i++) stream.write({ model_name: 'nobody' });
    expect(await ended).toMatchObject({ code: 8, details: expect.stringMatching(/^Read the answers of a stream/) });
    expect(cancelled).toEqual([0]);
  });
});

describe('leaving', () => {
  test('what was asked is answered, what comes later finds no port, and no call is lost', async () => {
    const { model, answers, counted } = held();
    const { address, grpc, state } = await started({}, [model]);
    const client = new TestClient(address);
    const calls = Array.from({ length: 64 }, (_, i) => client.call('ModelInfer', pairRequest(i, 0)));
    await vi.waitFor(() => expect(answers.length).toBe(64));
    state.phase = 'Draining';
    const drained = grpc.drain(leaving);
    for (const answer of answers) answer();
    const answered = await Promise.all(calls);
    expect(answered.map(({ message }) => floatsOf(message)[0])).toEqual(Array.from({ length: 64 }, (_, i) => i));
    await drained;
    expect(counted.every(({ outcome }) => outcome === 'ok')).toBe(true);
    expect(await refusalOf(client.call('ModelInfer', pairRequest(1, 2)))).toMatchObject({ code: 14 });
  });

  test('under load each call is answered or never begun: callers that go elsewhere lose none', async () => {
    const first = await started();
    const second = await serving([open.model]);
    const clients = [first.client, new TestClient(second.address)];
    let sent = 0;
    let answered = 0;
    let drained: Promise<void> | undefined;
    const worker = async (): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        const value = ++sent;
        const ask = (client: TestClient) => client.call('ModelInfer', pairRequest(value, 0));
        const { message } = await ask(clients[0] as TestClient).catch((error) => {
          // Never begun: the port was closed, or the connection told the caller so.
          expect(error).toMatchObject({ code: 14 });
          return ask(clients[1] as TestClient);
        });
        expect(floatsOf(message)[0]).toBe(value);
        answered += 1;
        if (answered === 300) drained = first.grpc.drain(leaving);
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
    await drained;
    expect([sent, answered]).toEqual([32 * 40, 32 * 40]);
    expect(first.grpc.inFlight).toBe(0);
  }, 30_000);

  test('a stream is told when all it asked is answered', async () => {
    const { model, answers } = held();
    const { address, grpc } = await started({}, [model]);
    const stream = new TestClient(address).stream(
      `/${INFERENCE}/ModelStreamInfer`,
      'inference.ModelInferRequest',
      'inference.ModelStreamInferResponse',
    );
    const received: unknown[] = [];
    const failed = new Promise<{ code: number }>((resolve) => stream.on('error', (error) => resolve(error as never)));
    stream.on('data', (answer) => received.push(answer));
    stream.write(pairRequest(1, 2));
    await vi.waitFor(() => expect(answers.length).toBe(1));
    const drained = grpc.drain(leaving);
    answers[0]?.();
    expect(await failed).toMatchObject({ code: 14 });
    expect(received.length).toBe(1);
    await drained;
  });

  test('patience ends', async () => {
    const { model, answers, cancelled } = held();
    const { address, grpc } = await started({}, [model]);
    const call = refusalOf(new TestClient(address).call('ModelInfer', pairRequest(1, 2)));
    await vi.waitFor(() => expect(answers.length).toBe(1));
    await grpc.drain({ ...leaving, patienceMs: 0 });
    expect(await call).toMatchObject({ code: 14 });
    expect(cancelled).toEqual([0]);
    answers[0]?.();
  });
});
