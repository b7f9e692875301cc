import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { callApi } from './api.ts';
import { startControlPlane } from './controlPlane.ts';
import { until } from './until.ts';

let directory = '';
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'slipway-plane-')), 'plane');
});
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }));

/** Processes that were started with a file below the directory. A zombie has no command line and does not count. */
const processesOf = (folder: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${folder}/`);
    } catch {
      return false;
    }
  });

test('an API server that is killed and started again has kept its objects', async () => {
  const plane = await startControlPlane({ directory });
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kept' } };
  await callApi(plane.access, {
    method: 'PATCH',
    path: '/api/v1/namespaces/kept?fieldManager=test',
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(namespace),
  });
  await plane.killApiServer();
  await expect(callApi(plane.access, { method: 'GET', path: '/readyz' })).rejects.toThrow();
  await plane.startApiServer();
  expect((await callApi(plane.access, { method: 'GET', path: '/api/v1/namespaces/kept' })).status).toBe(200);
  await plane.stop();
  expect(processesOf(directory)).toEqual([]);
});

test('a control plane ends with its owner, even when that is killed', async () => {
  const program = `
    import { startControlPlane } from '${join(import.meta.dirname, 'controlPlane.ts')}';
    await startControlPlane({ directory: process.argv[1] });
    console.log('ready');
    setInterval(() => {}, 1000);`;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '-e', program, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: owner.stdout })) if (line === 'ready') break;
  expect(processesOf(directory).length).toBeGreaterThanOrEqual(2);
  owner.kill('SIGKILL');
  await until(async () => processesOf(directory).length === 0, { what: 'the control plane to end', timeoutMs: 10_000 });
});
