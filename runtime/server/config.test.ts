import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { RUNTIME_VERSION, serverConfig, terminationLogOf } from './config.ts';

const POD = {
  SLIPWAY_MODEL_NAME: 'flights',
  SLIPWAY_MODEL_VERSION: '1.4.0',
  SLIPWAY_MODEL_DIGEST: 'sha256:ab',
  SLIPWAY_ARTIFACT_DIR: '/slipway/served',
  SLIPWAY_ADMIN_TOKEN_FILE: '/slipway/admin/token',
};

test('a pod names one model, and gets time for proxies to hear that it leaves', async () => {
  expect(await serverConfig(POD, [])).toMatchObject({
    source: {
      kind: 'Artifact',
      identity: { name: 'flights', version: '1.4.0', digest: 'sha256:ab' },
      directory: '/slipway/served',
    },
    restPort: 8080,
    grpcPort: 8081,
    adminPort: 9090,
    adminTokenFile: '/slipway/admin/token',
    drainMs: 5000,
    graceMs: 30_000,
  });
});

test.each([
  ['an argument', {}, ['models']],
  ['the environment', { SLIPWAY_MODELS: 'models' }, []],
  ['an argument rather than the environment', { SLIPWAY_MODELS: 'others' }, ['models']],
])('a folder of models is named by %s, and nothing else is needed', async (_what, env, args) => {
  expect(await serverConfig(env, args)).toMatchObject({
    source: { kind: 'Folder', path: 'models' },
    adminTokenFile: undefined,
    drainMs: 0,
  });
});

test('settings come from the environment or from a file', async () => {
  const file = join(await temporaryFolder('settings'), 'settings.json');
  await writeFile(file, '{"batching": {"maxSize": 4}}');
  const inline = await serverConfig({ ...POD, SLIPWAY_SETTINGS: '{"batching": {"maxSize": 3}}' }, []);
  expect(inline.settings.of('flights').batching.maxSize).toBe(3);
  const read = await serverConfig({ ...POD, SLIPWAY_SETTINGS_FILE: file }, []);
  expect(read.settings.of('flights').batching.maxSize).toBe(4);
});

test.each<[string, Record<string, string>, string[], RegExp]>([
  ['no model', {}, [], /^Name a folder of models or a \.onnx file: as the first argument, or in SLIPWAY_MODELS /],
  ['two folders', {}, ['a', 'b'], /^Name a folder of models/],
  ['a pod without a digest', { ...POD, SLIPWAY_MODEL_DIGEST: '' }, [], /^SLIPWAY_MODEL_DIGEST must be set\.$/],
  ['a pod without a token', { ...POD, SLIPWAY_ADMIN_TOKEN_FILE: '' }, [], /^SLIPWAY_ADMIN_TOKEN_FILE must be set\.$/],
  [
    'a port that is none',
    { SLIPWAY_GRPC_PORT: '99999' },
    ['m'],
    /^SLIPWAY_GRPC_PORT must be a whole number from 0 to /,
  ],
  ['no grace', { SLIPWAY_GRACE_SECONDS: '0' }, ['m'], /^SLIPWAY_GRACE_SECONDS must be a whole number from 1 /],
  ['wrong settings', { SLIPWAY_SETTINGS: '{"x": 1}' }, ['m'], /^SLIPWAY_SETTINGS: Unrecognized key: "x"; it takes /],
  [
    'settings twice',
    { SLIPWAY_SETTINGS: '{}', SLIPWAY_SETTINGS_FILE: 'f' },
    ['m'],
    /^Set SLIPWAY_SETTINGS or SLIPWAY_/,
  ],
  [
    'a file that is not there',
    { SLIPWAY_SETTINGS_FILE: '/no' },
    ['m'],
    /^SLIPWAY_SETTINGS_FILE: \/no cannot be read: /,
  ],
])('%s is refused in a sentence', async (_what, env, args, sentence) => {
  await expect(serverConfig(env, args)).rejects.toThrow(sentence);
});

test("a pod leaves its last words where the kubelet reads them, a server of one's own nowhere", () => {
  expect([terminationLogOf(POD), terminationLogOf({}), terminationLogOf({ SLIPWAY_TERMINATION_LOG: '/x' })]).toEqual([
    '/dev/termination-log',
    undefined,
    '/x',
  ]);
});

test('the server says the version of its package', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  expect(RUNTIME_VERSION).toBe(version);
});
