/**
 * Runs the real clients (tritonclient, kserve, mlserver's types) against the bundled server, on loopback. They are
 * installed once, by the content of their requirements, and kept beside the other downloads.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { ServerProcess } from '@slipway/runtime/test/serverProcess.ts';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { writeRepository } from './models.ts';

const HERE = import.meta.dirname;
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function command(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}

async function must(program: string, args: readonly string[]): Promise<void> {
  if ((await command(program, args)) !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}

/** The interpreter of the clients' environment. Two of them pin packages that contradict each other, so each file has its own. */
async function pythonOf(requirements: string): Promise<string> {
  const key = createHash('sha256')
    .update(await readFile(join(HERE, requirements)))
    .digest('hex')
    .slice(0, 16);
  const cache = process.env['SLIPWAY_CACHE'] ?? join(homedir(), '.cache', 'slipway');
  const folder = join(cache, `conformance-${requirements.replace(/\..*$/, '')}-${key}`);
  const python = join(folder, 'bin', 'python');
  if (await exists(join(folder, 'complete'))) return python;
  console.log(`· installing the clients of ${requirements}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await must('python3', ['-m', 'venv', folder]);
  await must(python, [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    join(HERE, requirements),
  ]);
  await writeFile(join(folder, 'complete'), '');
  return python;
}

/** What pytest counted, from the first line of its JUnit report. */
function countsOf(junit: string): { passed: number; failed: number; skipped: number } {
  const count = (name: string) => Number(new RegExp(`<testsuite [^>]*\\b${name}="(\\d+)"`).exec(junit)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  return { passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') };
}

async function suite(server: ServerProcess, requirements: string, tests: readonly string[]) {
  const listening = await server.logged('listening');
  const report = join(repository, `${tests[0]}.xml`);
  const python = await pythonOf(requirements);
  const files = tests.map((test) => join(HERE, test));
  const code = await command(
    python,
    ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${report}`, ...files],
    {
      ...process.env,
      PYTHONDONTWRITEBYTECODE: '1',
      SLIPWAY_HTTP: `127.0.0.1:${listening['rest']}`,
      SLIPWAY_GRPC: `127.0.0.1:${listening['grpc']}`,
    },
  );
  const counts = countsOf(await readFile(report, 'utf8').catch(() => ''));
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** In the form that the closing line of `make test` adds up. */
async function leave(path: string, counts: readonly { passed: number; failed: number; skipped: number }[]) {
  const sum = (key: 'passed' | 'failed' | 'skipped') => counts.reduce((total, count) => total + count[key], 0);
  const result = { numPassedTests: sum('passed'), numFailedTests: sum('failed'), numPendingTests: sum('skipped') };
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, JSON.stringify(result));
  process.exitCode = result.numFailedTests > 0 || result.numPassedTests === 0 ? 1 : 0;
}

const repository = await temporaryFolder('conformance');
await writeRepository(repository);
const server = await ServerProcess.start('../../dist/server/server.mjs', {
  SLIPWAY_MODELS: repository,
  SLIPWAY_SETTINGS: JSON.stringify({ repository: 'Explicit', versions: 'All' }),
});
try {
  await server.logged('ready');
  const counts = [
    await suite(server, 'clients.txt', ['test_triton_http.py', 'test_triton_grpc.py', 'test_server_page.py']),
    await suite(server, 'clients.txt', ['test_kserve.py']),
    await suite(server, 'mlserver.txt', ['test_mlserver.py']),
  ];
  await leave(process.argv[2] ?? join(repository, 'result.json'), counts);
} finally {
  await server.kill();
}
