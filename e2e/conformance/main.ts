/**
 * Runs the real clients (tritonclient, kserve, mlserver's types) against the bundled server, on loopback. They are
 * installed once, by the content of their requirements, and kept beside the other downloads.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pythonOf } from '@slipway/hack/local-cluster/binaries/pythonEnvironment.ts';
import { CommandError, run } from '@slipway/hack/local-cluster/command.ts';
import { progress } from '@slipway/hack/local-cluster/progress.ts';
import { ServerProcess } from '@slipway/runtime/test/serverProcess.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { writeRepository } from './models.ts';

const HERE = import.meta.dirname;
const log = progress();

/** Two of them pin packages that contradict each other, so each file of requirements has an environment of its own. */
const pythonFor = (requirements: string): Promise<string> =>
  pythonOf(join(HERE, requirements), `conformance-${requirements.replace(/\..*$/, '')}`, log);

/** What pytest counted, from the first line of its JUnit report. */
function countsOf(junit: string): { passed: number; failed: number; skipped: number } {
  const count = (name: string) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(junit)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  return { passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') };
}

async function suite(server: ServerProcess, repository: string, requirements: string, tests: readonly string[]) {
  const listening = await server.logged('listening');
  const report = join(repository, `${tests[0]}.xml`);
  const python = await pythonFor(requirements);
  const files = tests.map((test) => join(HERE, test));
  const environment = {
    PYTHONDONTWRITEBYTECODE: '1',
    SLIPWAY_HTTP: `127.0.0.1:${listening['rest']}`,
    SLIPWAY_GRPC: `127.0.0.1:${listening['grpc']}`,
  };
  const pytest = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...files];
  const passed = await run(python, pytest, { environment, onLine: console.log }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CommandError) return false;
      throw error;
    },
  );
  const counts = countsOf(await readFile(report, 'utf8').catch(() => ''));
  return !passed && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** In the form that the closing line of `make test` adds up. */
async function leave(path: string, counts: readonly { passed: number; failed: number; skipped: number }[]) {
  const sum = (key: 'passed' | 'failed' | 'skipped') => counts.reduce((total, count) => total + count[key], 0);
  const result = { numPassedTests: sum('passed'), numFailedTests: sum('failed'), numPendingTests: sum('skipped') };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(result));
  process.exitCode = result.numFailedTests > 0 || result.numPassedTests === 0 ? 1 : 0;
}

/** Their tests, on a server of their own. */
async function beside(repository: string, ...suites: readonly (readonly [string, readonly string[]])[]) {
  const server = await ServerProcess.start('../../dist/server/server.mjs', {
    SLIPWAY_MODELS: repository,
    SLIPWAY_SETTINGS: JSON.stringify({ repository: 'Explicit', versions: 'All' }),
  });
  try {
    await server.logged('ready');
    const counts = [];
    for (const [requirements, tests] of suites) counts.push(await suite(server, repository, requirements, tests));
    return counts;
  } finally {
    await server.kill();
  }
}

const repository = await temporaryFolder('conformance');
await writeRepository(repository);
// Side by side: to import their packages is most of what they do.
const counts = await Promise.all([
  beside(
    repository,
    ['clients.txt', ['test_triton_http.py', 'test_triton_grpc.py', 'test_server_page.py']],
    ['clients.txt', ['test_kserve.py']],
  ),
  beside(repository, ['mlserver.txt', ['test_mlserver.py']]),
]);
await leave(process.argv[2] ?? join(repository, 'result.json'), counts.flat());
