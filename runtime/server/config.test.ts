import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RUNTIME_VERSION, serverConfig } from './config.ts';

const env = {
  SLIPWAY_MODEL_NAME: 'flights',
  SLIPWAY_MODEL_VERSION: '1.4.0',
  SLIPWAY_MODEL_DIGEST: 'sha256:00',
  SLIPWAY_ARTIFACT_DIR: '/slipway/served/',
  SLIPWAY_ADMIN_TOKEN_FILE: '/slipway/admin/token',
};

test('what is not set has a default', () => {
  expect(serverConfig(env, 2)).toMatchObject({ restPort: 8080, adminPort: 9090, drainMs: 5000, maxQueue: 256 });
});

test.each([
  [1, {}, { workers: 1, threads: 1 }],
  [4, {}, { workers: 4, threads: 1 }],
  [16, {}, { workers: 4, threads: 4 }],
  [8, { SLIPWAY_WORKERS: '2' }, { workers: 2, threads: 4 }],
  [2, { SLIPWAY_WORKERS: '6' }, { workers: 6, threads: 1 }],
])('%i cores with %o are shared out', (cores, extra, want) => {
  expect(serverConfig({ ...env, ...extra }, cores)).toMatchObject(want);
});

test.each([
  [{ SLIPWAY_MODEL_NAME: '' }, 'SLIPWAY_MODEL_NAME must be set.'],
  [{ SLIPWAY_REST_PORT: '80a' }, 'SLIPWAY_REST_PORT must be a whole number from 0 to 65535, not "80a".'],
  [{ SLIPWAY_WORKERS: '0' }, 'SLIPWAY_WORKERS must be a whole number from 1 to 256, not "0".'],
])('%o is refused in a sentence', (extra, sentence) => {
  expect(() => serverConfig({ ...env, ...extra }, 2)).toThrow(
    expect.objectContaining({ reason: 'ConfigurationInvalid', message: sentence }),
  );
});

test('the version the server reports is that of its package', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(manifest).toMatchObject({ version: RUNTIME_VERSION });
});
