/**
 * What a shadow costs those who wait. First the decision alone, while the queue of a candidate that hangs is full: CPU a
 * request in this process. Then one server of two models that are the same: every request to one of them is copied to
 * a candidate that hangs, refuses or answers, none to the other is. A caller at a steady rate, which leaves the server idle for most of the time,
 * asks both by turns of a hundred requests, and half-way they change parts. Told are the medians of
 * the ratios of all pairs of turns, with their 95 % intervals, the p99 of all requests of a kind together, and the CPU that the other threads of the
 * server took meanwhile, which both models share. Server and caller have a core each, where the machine lets them, and what would be idle
 * of the server's is kept awake at the priority of nothing else to do: a virtual processor that sleeps wakes late.
 * Arguments: minutes for a candidate that hangs (5; a fifth of it for the others). Writes .bench/shadow.json.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { evidenceSchema } from '@slipway/crds/contract';
import { mlp, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startFolder } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { quantile } from './ratios.ts';
import { decisionCosts } from './shadowDecision.ts';
import { SteadyCaller } from './steadyCaller.ts';
import { moved, type PairOfTurns, pairsOfTurns, together } from './turns.ts';

const [MINUTES = 5] = process.argv.slice(2).map(Number);
const CONNECTIONS = 16;
const FEATURES = 30;
/** Pairs of turns between two repetitions of an order: two seconds. */
const PAIRS = 40;
/** Until a candidate that hangs has been found to: a copy waits for five seconds. */
const SETTLE_MS = 6000;
const COUNTS = ['compared', 'failed', 'skipped'] as const;
const MODELS = ['flights-a', 'flights-b'] as const;
/** A fraction of what the server can do. */
const REQUESTS_A_SECOND = 4000;

const values = Array.from({ length: FEATURES }, (_, i) => Math.cos(i));
const BODY = JSON.stringify({ inputs: [{ name: 'v0', datatype: 'FP32', shape: [1, FEATURES], data: values }] });

/** A server of the same small model under two names. */
async function twins(): Promise<ServerProcess> {
  const artifact = await modelArtifact(mlp([FEATURES, 64, 64, 2]));
  const folder = await temporaryFolder('twins');
  for (const name of MODELS) {
    await mkdir(join(folder, name));
    await cp(artifact.directory, join(folder, name, '1'), { recursive: true });
  }
  const server = await startFolder(folder);
  await server.logged('ready');
  return server;
}

async function order(server: ServerProcess, model: string, target: string | undefined) {
  const shadow = target === undefined ? null : { id: target, target, percent: 100, expiresInSeconds: 300 };
  const path = `/slipway/v1/evidence?model=${model}`;
  const response = await server.fetch('admin', path, {
    method: 'POST',
    headers: ADMIN,
    body: JSON.stringify({ shadow }),
  });
  return evidenceSchema.parse(await response.json()).shadow;
}

/** Milliseconds of CPU that all threads of the process but the first, that of the sockets, have had. */
async function cpuSoFar({ child }: ServerProcess): Promise<number> {
  const threads = (await readdir(`/proc/${child.pid}/task`)).filter((thread) => thread !== String(child.pid));
  const read = (thread: string) => readFile(`/proc/${child.pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
  const stats = await Promise.all(threads.map(read));
  return stats.reduce((total, stat) => total + Number(stat.split(' ')[0]) / 1e6, 0);
}

/** Milliseconds a second of those other threads, meanwhile. */
async function cpuOfOthers(server: ServerProcess, meanwhile: () => Promise<unknown>): Promise<number> {
  const [began, before] = [performance.now(), await cpuSoFar(server)];
  await meanwhile();
  return (((await cpuSoFar(server)) - before) * 1000) / (performance.now() - began);
}

/** A core for the server and one for the caller; the server's is never asleep. */
function apart(server: ServerProcess): ChildProcess | undefined {
  try {
    execFileSync('taskset', ['-acp', '0', String(server.child.pid)], { stdio: 'ignore' });
    execFileSync('taskset', ['-acp', '1', String(process.pid)], { stdio: 'ignore' });
    const awake = 'const end = Date.now() + 3600e3; while (Date.now() < end);';
    return spawn('taskset', ['-c', '0', 'chrt', '-i', '0', process.execPath, '-e', awake], { stdio: 'ignore' });
  } catch {
    console.log('server and caller share all cores: no taskset or no second core');
    return undefined;
  }
}

async function ask(server: ServerProcess, target: string, minutes: number) {
  const paths = MODELS.map((name) => `/v2/models/${name}/infer`);
  const caller = await SteadyCaller.open(await server.url('rest', ''), paths, BODY, CONNECTIONS);
  const pairs: PairOfTurns[] = [];
  const counts = { compared: 0, failed: 0, skipped: 0 };
  const cpu = { plain: 0, copied: 0 };
  await caller.during(SETTLE_MS, REQUESTS_A_SECOND, (sent) => sent % 2);
  for (const copied of [0, 1] as const) {
    cpu.plain += (await cpuOfOthers(server, () => caller.during(SETTLE_MS, REQUESTS_A_SECOND))) / 2;
    await order(server, MODELS[copied], target);
    await caller.during(SETTLE_MS, REQUESTS_A_SECOND, () => copied);
    cpu.copied +=
      (await cpuOfOthers(server, async () => {
        for (const end = performance.now() + minutes * 30_000; performance.now() < end; ) {
          pairs.push(...(await pairsOfTurns(caller, PAIRS, REQUESTS_A_SECOND, copied)));
          await order(server, MODELS[copied], target);
        }
      })) / 2;
    const told = await order(server, MODELS[copied], undefined);
    for (const count of COUNTS) counts[count] += told?.[count] ?? 0;
  }
  caller.close();
  return { pairs, counts, cpu };
}

const signed = (percent: number): string => `${percent < 0 ? '' : '+'}${percent} %`;

async function compare(server: ServerProcess, conduct: string, target: string, minutes: number) {
  const { pairs, counts, cpu } = await ask(server, target, minutes);
  const [p50, p99] = [moved(pairs, 0.5), moved(pairs, 0.99)];
  const [plain, copied] = [together(pairs, 'plain', 0.99), together(pairs, 'copied', 0.99)];
  console.log(
    `a candidate that ${conduct}: p99 ${signed(p99.by)} (95 %: ${p99.low} to ${p99.high}), ` +
      `p50 ${signed(p50.by)} (${p50.low} to ${p50.high}); ${pairs.length} pairs of turns\n` +
      `  p99 of all together ${plain.toFixed(3)} ms without, ${copied.toFixed(3)} ms copied; other threads ${cpu.copied.toFixed(1)} ms of CPU a second, ${cpu.plain.toFixed(1)} without; ` +
      COUNTS.map((count) => `${count} ${counts[count]}`).join(', '),
  );
  const what = `every request copied to a candidate that ${conduct}`;
  return [
    { what: `${what}: p99 of live answers moves by`, value: p99.by, unit: '%' },
    { what: `${what}: p99 of live answers moves by, lower end of the 95 % interval`, value: p99.low, unit: '%' },
    { what: `${what}: p99 of live answers moves by, upper end of the 95 % interval`, value: p99.high, unit: '%' },
    { what: `${what}: p50 of live answers moves by`, value: p50.by, unit: '%' },
    {
      what: `${what}: CPU of the other threads a second moves by`,
      value: Number((cpu.copied - cpu.plain).toFixed(2)),
      unit: 'ms',
    },
  ];
}

/** What the decision costs, in this process. */
async function decision(hangingTarget: string) {
  const costs = await decisionCosts(hangingTarget);
  const [low, middle, high] = [0.025, 0.5, 0.975].map((q) => Math.round(quantile(costs, q)));
  console.log(`decision: ${middle} ns of CPU a request (95 % of ${costs.length} rounds: ${low} to ${high})`);
  const what = 'every request copied to a candidate that hangs, its queue full: CPU of the decision a request';
  return [{ what, value: middle as number, unit: 'ns' }];
}

const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
await once(silent, 'listening');
const hanging = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
const measurements: object[] = await decision(hanging);
const [server, candidate] = [await twins(), await twins()];
const awake = apart(server);
try {
  measurements.push(...(await compare(server, 'hangs', hanging, MINUTES)));
  measurements.push(...(await compare(server, 'refuses', 'http://127.0.0.1:1', MINUTES / 5)));
  measurements.push(...(await compare(server, 'answers', await candidate.url('rest', ''), MINUTES / 5)));
} finally {
  awake?.kill();
  await Promise.all([server.kill(), candidate.kill()]);
}
await mkdir('.bench', { recursive: true });
await writeFile('.bench/shadow.json', JSON.stringify({ name: 'shadow', measurements }, null, 2));
process.exit(0);
