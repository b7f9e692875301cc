/**
 * What a shadow costs those who wait: one server at a steady rate that leaves it idle for most of the time, in short
 * windows by turns without an order and with one that copies every request to a candidate that hangs, refuses, or answers.
 * Each pair of windows gives one ratio of its p99s, so that what else the machine does falls on both; the mean of the middle
 * 60 % of their logarithms (a disturbed window says nothing, and a median would throw away a third of what the others say) and its
 * bootstrap interval are printed and written to .bench/shadow.json. A pair takes about 1.5 s, all some five minutes.
 * Arguments: pairs of windows for the candidate that hangs (150; a fifth of it for the others), requests a
 * second (4000, a fraction of what the server can do).
 */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { evidenceSchema } from '@slipway/crds/contract';
import { mlp, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';
import { SteadyCaller } from './steadyCaller.ts';

const [PAIRS = 150, RATE = 4000] = process.argv.slice(2).map(Number);
const WINDOW_MS = 500;
/** Until the queue of a candidate that hangs is full: 256 copies. */
const SETTLE_MS = Math.max(200, (300 * 1000) / RATE);
const CONNECTIONS = 16;
const RESAMPLES = 2000;
const FEATURES = 30;
const values = Array.from({ length: FEATURES }, (_, i) => Math.cos(i));
const BODY = JSON.stringify({ inputs: [{ name: 'v0', datatype: 'FP32', shape: [1, FEATURES], data: values }] });

const quantile = (given: readonly number[], q: number): number =>
  given.toSorted((a, b) => a - b)[Math.min(given.length - 1, Math.floor(q * given.length))] as number;

async function order(server: ServerProcess, target: string | undefined) {
  const shadow = target === undefined ? null : { id: target, target, percent: 100, expiresInSeconds: 300 };
  const body = JSON.stringify({ shadow });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  return evidenceSchema.parse(await response.json()).shadow;
}

/** Geometric mean of the ratios without the lowest and the highest fifth. */
function middleOf(ratios: readonly number[]): number {
  const cut = Math.floor(ratios.length / 5);
  const logs = ratios
    .map(Math.log)
    .toSorted((a, b) => a - b)
    .slice(cut, ratios.length - cut);
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

/** 95 % of what resampled pairs give. */
function interval(ratios: readonly number[]): readonly [low: number, high: number] {
  const pick = () => ratios[Math.floor(Math.random() * ratios.length)] as number;
  const resampled = Array.from({ length: RESAMPLES }, () => middleOf(ratios.map(pick)));
  return [quantile(resampled, 0.025), quantile(resampled, 0.975)];
}

type Kind = 'without' | 'copied';
const QUANTILES = { p50: 0.5, p99: 0.99 } as const;

interface Measured {
  readonly ratios: Readonly<Record<keyof typeof QUANTILES, readonly number[]>>;
  /** Medians over the windows, milliseconds. */
  readonly p99: Readonly<Record<Kind, number>>;
}

async function inPairs(caller: SteadyCaller, live: ServerProcess, target: string, pairs: number): Promise<Measured> {
  const ratios = { p50: [] as number[], p99: [] as number[] };
  const p99s = { without: [] as number[], copied: [] as number[] };
  for (let pair = 0; pair < pairs; pair++) {
    const latencies: Record<Kind, readonly number[]> = { without: [], copied: [] };
    for (const kind of pair % 2 ? (['copied', 'without'] as const) : (['without', 'copied'] as const)) {
      await order(live, kind === 'copied' ? target : undefined);
      await caller.during(SETTLE_MS, RATE);
      latencies[kind] = await caller.during(WINDOW_MS, RATE);
      p99s[kind].push(quantile(latencies[kind], QUANTILES.p99));
    }
    for (const name of ['p50', 'p99'] as const)
      ratios[name].push(quantile(latencies.copied, QUANTILES[name]) / quantile(latencies.without, QUANTILES[name]));
  }
  return { ratios, p99: { without: quantile(p99s.without, 0.5), copied: quantile(p99s.copied, 0.5) } };
}

const percent = (ratio: number): number => Number(((ratio - 1) * 100).toFixed(2));

async function compare(candidate: string, live: ServerProcess, target: string, pairs: number) {
  const caller = await SteadyCaller.open(await live.url('rest', '/v2/models/flights/infer'), BODY, CONNECTIONS);
  try {
    const { ratios, p99 } = await inPairs(caller, live, target, pairs);
    const { compared = 0, failed = 0, skipped = 0 } = (await order(live, target)) ?? {};
    await order(live, undefined);
    const [low, high] = interval(ratios.p99).map(percent);
    const moved = { p50: percent(middleOf(ratios.p50)), p99: percent(middleOf(ratios.p99)) };
    console.log(
      `${candidate}: p99 ${moved.p99} % (95 %: ${low} to ${high}), p50 ${moved.p50} %; ` +
        `p99 ${p99.without.toFixed(3)} ms without, ${p99.copied.toFixed(3)} ms copied; ` +
        `${pairs} pairs, the last copied window: compared ${compared}, failed ${failed}, skipped ${skipped}`,
    );
    const what = `every request copied to a candidate that ${candidate}: p99 of live answers moves by`;
    return [
      { what, value: moved.p99, unit: '%' },
      { what: `${what}, lower end of the 95 % interval`, value: low, unit: '%' },
      { what: `${what}, upper end of the 95 % interval`, value: high, unit: '%' },
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
