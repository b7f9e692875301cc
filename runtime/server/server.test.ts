import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { affine, lookup, modelArtifact, reciprocal, type TestArtifact, writeArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';

const goldenAffine = (expected: number) => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2, 2], data: [1, 1, 2, 0] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: [-0.5, expected] }],
});

const inferBody = (name: string, datatype: string, shape: number[], data: unknown) =>
  JSON.stringify({ id: 'r1', inputs: [{ name, datatype, shape, data }] });

const post = (server: ServerProcess, body: string) =>
  server.fetch('rest', '/v2/models/flights/infer', { method: 'POST', body });

describe('a server with a good artifact', () => {
  let artifact: TestArtifact;
  let server: ServerProcess;
  beforeAll(async () => {
    artifact = await modelArtifact(affine, [goldenAffine(4.5)]);
    server = await startServer(artifact);
    await server.logged('ready');
  }, 30_000);
  afterAll(() => server.kill());

  test('answers what the model computes, under the id of the request', async () => {
    const response = await post(server, inferBody('x', 'FP32', [2, 2], [1, 1, 0, 2]));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      model_name: 'flights',
      model_version: '1.4.0',
      id: 'r1',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [2, 1], data: [-0.5, -5.5] }],
    });
  });

  test('puts version and digest on answers and on errors', async () => {
    for (const response of [
      await post(server, inferBody('x', 'FP32', [1, 2], [1, 1])),
      await post(server, 'nonsense'),
      await server.fetch('rest', '/nowhere'),
      await server.fetch('rest', '/v2/health/live'),
    ]) {
      await response.text();
      expect(response.headers.get('slipway-model-version')).toBe('1.4.0');
      expect(response.headers.get('slipway-model-digest')).toBe(artifact.digest);
    }
  });

  test.each([
    ['/v2', { name: 'slipway', version: '0.1.0', extensions: expect.arrayContaining(['binary_tensor_data']) }],
    ['/v2/health/live', { live: true, ready: true }],
    ['/v2/health/ready', { live: true, ready: true }],
    ['/v2/models/flights/ready', { name: 'flights', ready: true }],
    [
      '/v2/models/flights/versions/1.4.0',
      {
        name: 'flights',
        versions: ['1.4.0'],
        platform: 'onnx_onnxv1',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
      },
    ],
  ])('GET %s describes it', async (path, want) => {
    const response = await server.fetch('rest', path);
    expect([response.status, await response.json()]).toEqual([200, want]);
  });

  test('is live and ready on the admin port and exports its metrics', async () => {
    expect((await server.fetch('admin', '/livez')).status).toBe(200);
    expect((await server.fetch('admin', '/readyz')).status).toBe(200);
    const metrics = await (await server.fetch('admin', '/metrics')).text();
    expect(metrics).toMatch(
      /^slipway_requests_total\{model="flights",version="1.4.0",outcome="ok",protocol="rest"\} [1-9]/m,
    );
    expect(metrics).toContain(`slipway_model_info{model="flights",version="1.4.0",digest="${artifact.digest}"} 1`);
  });

  test('shows evidence to the holder of the token only', async () => {
    const path = '/slipway/v1/evidence';
    expect((await server.fetch('admin', path)).status).toBe(401);
    expect((await server.fetch('admin', path, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    expect((await server.fetch('admin', path, { headers: ADMIN })).status).toBe(200);
  });

  test('refuses a body that is too large, without cutting the caller off', async () => {
    const small = await startServer(artifact, {
      SLIPWAY_SETTINGS: '{"limits": {"maxBodyBytes": 1000}}',
    });
    await small.logged('ready');
    const response = await post(small, 'x'.repeat(5_000_000));
    expect([response.status, await response.json()]).toEqual([413, { error: 'The body may have 1000 bytes at most.' }]);
    expect((await small.evidence()).requests).toMatchObject({ clientError: 1, ok: 0 });
    await small.kill();
  });

  test('leaves with exit code 0 on SIGTERM', async () => {
    const leaving = await startServer(artifact);
    await leaving.logged('ready');
    leaving.child.kill('SIGTERM');
    expect(await leaving.exitCode()).toBe(0);
  });
});

describe('a model that fails on some inputs', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await startServer(await modelArtifact(lookup));
    await server.logged('ready');
  }, 30_000);
  afterAll(() => server.kill());

  test('answers 500 with the cause in one sentence, and goes on serving', async () => {
    const response = await post(server, inferBody('code', 'INT64', [1, 1], [7]));
    expect([response.status, await response.json()]).toEqual([
      500,
      {
        error:
          'The model failed on this request: indices element out of data bounds, idx=7 must be within the inclusive range [-3,2].',
      },
    ]);
    const next = await post(server, inferBody('code', 'INT64', [1, 1], [2]));
    expect(await next.json()).toMatchObject({ outputs: [{ data: [5, 6] }] });
  });

  test('answers 500 where it gives a number that JSON cannot carry', async () => {
    const dividing = await startServer(await modelArtifact(reciprocal));
    await dividing.logged('ready');
    expect((await post(dividing, inferBody('x', 'FP32', [1], [2]))).status).toBe(200);
    const response = await post(dividing, inferBody('x', 'FP32', [2], [2, 0]));
    expect([response.status, await response.json()]).toEqual([
      500,
      { error: 'The model failed on this request: element 1 of output "y" is Infinity, which JSON cannot carry.' },
    ]);
    await dividing.kill();
  });

  test('evidence counts exactly the answers that a caller counts', async () => {
    const before = (await server.evidence()).requests;
    const bodies = Array.from({ length: 200 }, (_, i) =>
      i % 10 === 3 ? 'nonsense' : inferBody('code', 'INT64', [1, 1], [i % 4]),
    );
    const statuses = await Promise.all(bodies.map(async (body) => (await post(server, body)).status));
    await server.fetch('rest', '/v2/health/ready');
    const { requests, latency, batches, inFlight } = await server.evidence();
    const count = (status: number) => statuses.filter((s) => s === status).length;
    expect(requests).toEqual({
      ok: before.ok + count(200),
      clientError: before.clientError + count(400),
      serverError: before.serverError + count(500),
      shed: 0,
    });
    expect([count(200), count(400), count(500)]).toEqual([140, 20, 40]);
    expect(latency.counts.reduce((a, b) => a + b, 0)).toBe(requests.ok + requests.serverError);
    expect(batches.seconds).toBeGreaterThanOrEqual(1);
    expect(inFlight).toBe(0);
  });
});

test('a server is live but not ready until every golden request is replayed', async () => {
  const golden = Array.from({ length: 3000 }, () => goldenAffine(4.5));
  const server = await startServer(await modelArtifact(affine, golden));
  const { ready, requests, model } = await server.evidence();
  expect([ready, requests.ok, model.name]).toEqual([false, 0, 'flights']);
  const seen: number[] = [];
  while (seen.at(-1) !== 200) seen.push((await server.fetch('admin', '/readyz')).status);
  expect(seen[0]).toBe(503);
  expect((await server.fetch('admin', '/livez')).status).toBe(200);
  expect((await post(server, inferBody('x', 'FP32', [1, 2], [1, 1]))).status).toBe(200);
  await server.kill();
}, 30_000);

test('a server that needs a GPU and has none is never ready, and ends with a sentence that says what to do', async () => {
  const server = await startServer(await modelArtifact(affine), {
    SLIPWAY_SETTINGS: JSON.stringify({ engine: { providers: ['cuda', 'cpu'], requireGpu: true } }),
  });
  const ready = server.logged('ready').catch((error: Error) => error.message);
  expect(await server.exitCode()).toBe(1);
  expect(await ready).toContain('the process never logged "ready"');
  expect(await server.termination()).toMatchObject({
    reason: 'ConfigurationInvalid',
    message: expect.stringMatching(/^The model cannot run on cuda: .* run the CUDA image on a node with an NVIDIA GPU/),
  });
});

test('a server that would like a GPU and has none says so once, and tells what it runs on', async () => {
  const server = await startServer(await modelArtifact(affine), {
    SLIPWAY_SETTINGS: JSON.stringify({ engine: { providers: ['cuda', 'cpu'] } }),
  });
  await server.logged('ready');
  const warnings = server.entries().filter(({ msg }) => /^The model runs without cuda: /.test(String(msg)));
  expect(warnings).toHaveLength(1);
  expect(await (await server.fetch('admin', '/metrics')).text()).toMatch(
    /^slipway_engine_info\{model="flights",version="[^"]*",backend="ffi",provider="cpu"\} 1$/m,
  );
  const config = (await (await server.fetch('rest', '/v2/models/flights/config')).json()) as Record<string, unknown>;
  expect(config).toMatchObject({ instance_group: [{ kind: 'KIND_CPU' }] });
  await server.kill();
});

describe('an artifact that must not be served ends the process with a named cause', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const refused: readonly [string, () => Promise<TestArtifact>, string, RegExp][] = [
    [
      'another digest than was asked for',
      async () => ({ ...(await modelArtifact(affine)), digest }),
      'DigestMismatch',
      /^The artifact has digest sha256:[0-9a-f]{64}, sha256:0{64} was asked for\.$/,
    ],
    ['no model', () => writeArtifact({ 'card.md': '#' }), 'ModelMissing', /^The artifact has no model\.onnx\.$/],
    [
      'a file that is no model',
      () => writeArtifact({ 'model.onnx': 'garbage' }),
      'ModelInvalid',
      /^model\.onnx cannot be loaded: it is not an ONNX model/,
    ],
    [
      'a model of a later opset',
      () => modelArtifact({ ...affine, opset: 99 }),
      'ModelInvalid',
      /^model\.onnx cannot be loaded: it uses opset 99, and ONNX Runtime [\d.]+ knows opsets up to \d+; export it/,
    ],
    [
      'a link that leads to itself',
      async () => {
        const artifact = await writeArtifact({ 'card.md': '#' });
        await symlink('model.onnx', join(artifact.directory, 'model.onnx'));
        return artifact;
      },
      'OutputInvalid',
      /^model\.onnx is a link to something that is not a file of the artifact; copy it instead\.$/,
    ],
    [
      'a golden request that it answers differently',
      () => modelArtifact(affine, [goldenAffine(4.6)]),
      'GoldenMismatch',
      /^Request 1 of golden\.jsonl: output "y" element 1 is 4\.5, expected 4\.6 \(tolerance 0\.0001\)\.$/,
    ],
    [
      'a folder that is not there',
      async () => ({ directory: '/no/such/folder', digest }),
      'ArtifactMissing',
      /^There is no artifact folder at \/no\/such\/folder\.$/,
    ],
  ];
  test.each(refused)('%s', async (_what, artifact, reason, message) => {
    const server = await startServer(await artifact());
    expect(await server.exitCode()).toBe(1);
    expect(await server.termination()).toMatchObject({ reason, message: expect.stringMatching(message) });
  });
});

describe('questions pass by node:http unless the settings say never', () => {
  test.each([
    ['Auto', false],
    ['Never', true],
  ])('%s', async (fastLane, throughNode) => {
    const artifact = await modelArtifact(affine, [goldenAffine(4.5)]);
    const server = await startServer(artifact, {
      SLIPWAY_SETTINGS: JSON.stringify({ fastLane }),
      NODE_DEBUG: 'http', // node:http says what it reads
    });
    const said: string[] = [];
    server.child.stderr?.on('data', (text) => said.push(String(text)));
    await server.logged('ready');
    const response = await post(server, inferBody('x', 'FP32', [2, 2], [1, 1, 0, 2]));
    expect(await response.json()).toMatchObject({ outputs: [{ data: [-0.5, -5.5] }] });
    await server.kill();
    expect(said.join('').includes('SERVER new http connection')).toBe(throughNode);
  });
});
