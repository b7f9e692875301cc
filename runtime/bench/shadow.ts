/**
 * What a shadow costs those who wait. First the decision alone, while the queue of a candidate that hangs is full: CPU a
 * request in this process. Then one server at a steady rate that leaves it idle for most of the time, in short windows by
 * turns without an order and with one that copies every request to a candidate that hangs, refuses, or answers.
 * Each pair of windows gives one ratio of its p99s, and of the CPU that the thread of the sockets took for a request, so that
 * what else the machine does falls on both; the mean of the middle 60 % of their logarithms (a disturbed window says nothing, and a
 * median would throw away a third of what the others say) and its bootstrap interval are printed and written to
 * .bench/shadow.json. A pair takes about 1.5 s, all some five minutes.
 * Arguments: pairs of windows for the candidate that hangs (150; a fifth of it for the others), requests a
 * second (4000, a fraction of what the server can do), milliseconds of a window (500).
 */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { evidenceSchema } from '@slipway/crds/contract';
import { mlp, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';
import { interval, middleOf, quantile } from './ratios.ts';
import { decisionCosts } from './shadowDecision.ts';
import { SteadyCaller } from './steadyCaller.ts';

const [PAIRS = 150, RATE = 4000, WINDOW_MS = 500] = process.argv.slice(2).map(Number);
/** Until the queue of a candidate that hangs is full: 256 copies. */
const SETTLE_MS = Math.max(200, (300 * 1000) / RATE);
const CONNECTIONS = 16;
const FEATURES = 30;
const values = Array.from({ length: FEATURES }, (_, i) => Math.cos(i));
const BODY = JSON.stringify({ inputs: [{ name: 'v0', datatype: 'FP32', shape: [1, FEATURES], data: values }] });

async function order(server: ServerProcess, target: string | undefined) {
  const shadow = target === undefined ? null : { id: target, target, percent: 100, expiresInSeconds: 300 };
  const body = JSON.stringify({ shadow });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  return evidenceSchema.parse(await response.json()).shadow;
}

type Kind = 'without' | 'copied';
const FIGURES = ['p50', 'p99', 'cpu'] as const;
type Window = Readonly<Record<(typeof FIGURES)[number], number>>;

/** Nanoseconds of CPU that the first thread of the process, that of the sockets, has had. */
const cpuOf = async ({ child }: ServerProcess): Promise<number> =>
  Number((await readFile(`/proc/${child.pid}/schedstat`, 'utf8')).split(' ')[0]);

async function windowOf(caller: SteadyCaller, live: ServerProcess): Promise<Window> {
  const before = await cpuOf(live);
  const latencies = await caller.during(WINDOW_MS, RATE);
  const cpu = ((await cpuOf(live)) - before) / latencies.length;
  return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99), cpu };
}

async function inPairs(caller: SteadyCaller, live: ServerProcess, target: string, pairs: number) {
  const windows: Record<Kind, Window[]> = { without: [], copied: [] };
  for (let pair = 0; pair < pairs; pair++) {
    for (const kind of pair % 2 ? (['copied', 'without'] as const) : (['without', 'copied'] as const)) {
      await order(live, kind === 'copied' ? target : undefined);
      await caller.during(SETTLE_MS, RATE);
      windows[kind].push(await windowOf(caller, live));
    }
  }
  return windows;
}

const percent = (ratio: number): number => Number(((ratio - 1) * 100).toFixed(2));

/** By how much copying moves a figure, per cent, and the 95 % interval of that. */
function moved({ without, copied }: Readonly<Record<Kind, readonly Window[]>>, figure: (typeof FIGURES)[number]) {
  const ratios = copied.map((window, i) => window[figure] / (without[i] as Window)[figure]);
  const [low, high] = interval(ratios).map(percent) as [number, number];
  return { by: percent(middleOf(ratios)), low, high };
}

type Moved = ReturnType<typeof moved>;

const figures = (what: string, { by, low, high }: Moved) => [
  { what, value: by, unit: '%' },
  { what: `${what}, lower end of the 95 % interval`, value: low, unit: '%' },
  { what: `${what}, upper end of the 95 % interval`, value: high, unit: '%' },
];

/** What the decision costs, in this process. */
async function decision(hangingTarget: string) {
  const costs = await decisionCosts(hangingTarget);
  const [low, middle, high] = [0.025, 0.5, 0.975].map((q) => Math.round(quantile(costs, q)));
  console.log(`decision: ${middle} ns of CPU a request (95 % of ${costs.length} rounds: ${low} to ${high})`);
  const what = 'every request copied to a candidate that hangs, its queue full: CPU of the decision a request';
  return [{ what, value: middle as number, unit: 'ns' }];
}

async function compare(candidate: string, live: ServerProcess, target: string, pairs: number) {
  const caller = await SteadyCaller.open(await live.url('rest', '/v2/models/flights/infer'), BODY, CONNECTIONS);
  try {
    const windows = await inPairs(caller, live, target, pairs);
    const { compared = 0, failed = 0, skipped = 0 } = (await order(live, target)) ?? {};
    await order(live, undefined);
    const [p50, p99, cpu] = FIGURES.map((figure) => moved(windows, figure)) as [Moved, Moved, Moved];
    const median = (kind: Kind, figure: 'p99' | 'cpu') =>
      quantile(
        windows[kind].map((window) => window[figure]),
        0.5,
      );
    console.log(
      `${candidate}: p99 ${p99.by} % (95 %: ${p99.low} to ${p99.high}), p50 ${p50.by} %; ` +
        `p99 ${median('without', 'p99').toFixed(3)} ms without, ${median('copied', 'p99').toFixed(3)} ms copied; ` +
        `CPU of the sockets' thread ${cpu.by} % (95 %: ${cpu.low} to ${cpu.high}) of ${(median('without', 'cpu') / 1000).toFixed(1)} µs a request; ` +
        `${pairs} pairs, the last copied window: compared ${compared}, failed ${failed}, skipped ${skipped}`,
    );
    const copying = `every request copied to a candidate that ${candidate}:`;
    return [
      ...figures(`${copying} p99 of live answers moves by`, p99),
      ...figures(`${copying} CPU of the sockets' thread a request moves by`, cpu),
    ];
  } finally {
    caller.close();
  }
}

const artifact = await modelArtifact(mlp([FEATURES, 64, 64, 2]));
const [live, candidate] = [await startServer(artifact), await startServer(artifact)];
const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
try {
  await Promise.all([live.logged('ready'), candidate.logged('ready'), once(silent, 'listening')]);
  const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await order(live, silentUrl); // the thread that copies is started once
  const warmUp = await SteadyCaller.open(await live.url('rest', '/v2/models/flights/infer'), BODY, CONNECTIONS);
  await warmUp.during(2000, RATE);
  warmUp.close();
  const few = Math.max(2, Math.round(PAIRS / 5));
  const measurements = [
    ...(await decision(silentUrl)),
    ...(await compare('hangs', live, silentUrl, PAIRS)),
    ...(await compare('refuses', live, 'http://127.0.0.1:1', few)),
    ...(await compare('answers', live, await candidate.url('rest', ''), few)),
  ];
  await mkdir('.bench', { recursive: true });
  await writeFile('.bench/shadow.json', JSON.stringify({ name: 'shadow', measurements }, null, 2));
} finally {
  await Promise.all([live.kill(), candidate.kill()]);
  silent.close();
}
process.exit(0);
