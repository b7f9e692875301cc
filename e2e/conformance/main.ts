/**
 * Runs the real clients (tritonclient, kserve, mlserver's types) against the bundled server, on loopback. They are
 * installed once, by the content of their requirements, and kept beside the other downloads.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '@slipway/runtime/test/temporaryFolder.ts';
import { ServerProcess } from '@slipway/runtime/test/serverProcess.ts';
import { writeRepository } from './models.ts';

const HERE = import.meta.dirname;
const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);

async function command(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(program, args, { stdio: 'inherit', env });
  const [code] = await once(child, 'exit');
  return (code as number | null) ?? 1;
}

async function must(program: string, args: readonly string[]): Promise<void> {
  if ((await command(program, args)) !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}

/** The interpreter of the clients' environment. Two of them pin packages that contradict each other, so each file has its own. */
async function pythonOf(requirements: string): Promise<string> {
  const key = createHash('sha256').update(await readFile(join(HERE, requirements))).digest('hex').slice(0, 16);
  const cache = process.env['SLIPWAY_CACHE'] ?? join(homedir(), '.cache', 'slipway');
  const folder = join(cache, `conformance-${requirements.replace(/\..*$/, '')}-${key}`);
  const python = join(folder, 'bin', 'python');
  if (await exists(join(folder, 'complete'))) return python;
  console.log(`· installing the clients of ${requirements}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  await must('python3', ['-m', 'venv', folder]);
  await must(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(HERE, requirements)]);
  await writeFile(join(folder, 'complete'), '');
  return python;
}

async function suite(server: ServerProcess, requirements: string, tests: readonly string[]): Promise<number> {
  const listening = await server.logged('listening');
  const python = await pythonOf(requirements);
  return command(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', ...tests.map((test) => join(HERE, test))], {
    ...process.env,
    PYTHONDONTWRITEBYTECODE: '1',
    SLIPWAY_HTTP: `127.0.0.1:${listening['rest']}`,
    SLIPWAY_GRPC: `127.0.0.1:${listening['grpc']}`,
  });
}

const repository = await temporaryFolder('conformance');
await writeRepository(repository);
const server = await ServerProcess.start('../../dist/server/server.mjs', {
  SLIPWAY_MODELS: repository,
  SLIPWAY_SETTINGS: JSON.stringify({ repository: 'Explicit' }),
});
try {
  await server.logged('ready');
  const codes = [
    await suite(server, 'clients.txt', ['test_triton_http.py', 'test_triton_grpc.py']),
    await suite(server, 'clients.txt', ['test_kserve.py']),
    await suite(server, 'mlserver.txt', ['test_mlserver.py']),
  ];
  process.exitCode = codes.some((code) => code !== 0) ? 1 : 0;
} finally {
  await server.kill();
}
