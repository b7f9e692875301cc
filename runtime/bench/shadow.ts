/**
 * What a shadow costs those who wait: one server at a fixed rate, in short windows by turns without an order and with
 * one that copies every request to a candidate that hangs, refuses, or answers. Each pair of windows gives one ratio of
 * its p99s; their median and its bootstrap interval are printed, for the machine may be busy with other things.
 * Arguments: pairs of windows (40), requests a second (1000).
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { evidenceSchema } from '@slipway/crds/contract';
import { mlp, modelArtifact } from '../test/artifacts.ts';
import { ADMIN, type ServerProcess, startServer } from '../test/serverProcess.ts';

const [PAIRS = 40, RATE = 1000] = process.argv.slice(2).map(Number);
const WINDOW_MS = 500;
const RESAMPLES = 2000;
const FEATURES = 30;
const data = Array.from({ length: FEATURES }, (_, i) => Math.cos(i));
const BODY = JSON.stringify({ inputs: [{ name: 'v0', datatype: 'FP32', shape: [1, FEATURES], data }] });

function ask(url: string, agent: Agent): Promise<number> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    const call = request(url, { method: 'POST', agent }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - begin);
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    call.once('error', reject).end(BODY);
  });
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] as number;

/** Latencies at a fixed rate: requests leave when they are due, whether or not those before have been answered. */
async function window(url: string, agent: Agent): Promise<number[]> {
  const answers: Promise<number>[] = [];
  const begin = performance.now();
  for (let due = begin; due < begin + WINDOW_MS; due += 1000 / RATE) {
    const early = due - performance.now();
    if (early > 0) await pause(early);
    answers.push(ask(url, agent));
  }
  return Promise.all(answers);
}

async function order(server: ServerProcess, target: string | undefined) {
  const shadow = target === undefined ? null : { id: target, target, percent: 100, expiresInSeconds: 300 };
  const body = JSON.stringify({ shadow });
  const response = await server.fetch('admin', '/slipway/v1/evidence', { method: 'POST', headers: ADMIN, body });
  return evidenceSchema.parse(await response.json()).shadow;
}

function interval(ratios: readonly number[]): [low: number, high: number] {
  const medians = Array.from({ length: RESAMPLES }, () =>
    quantile(
      ratios.map(() => ratios[Math.floor(Math.random() * ratios.length)] as number),
      0.5,
    ),
  );
  return [quantile(medians, 0.025), quantile(medians, 0.975)];
}

const percent = (ratio: number): string => `${((ratio - 1) * 100).toFixed(1)} %`;

async function compare(name: string, live: ServerProcess, target: string): Promise<void> {
  const url = await live.url('rest', '/v2/models/flights/infer');
  const agent = new Agent({ keepAlive: true });
  const p99s = { without: [] as number[], copied: [] as number[] };
  const ratios: Record<'p50' | 'p99', number[]> = { p50: [], p99: [] };
  let evidence: Awaited<ReturnType<typeof order>>;
  for (let pair = 0; pair < PAIRS; pair++) {
    const measured = { without: [] as number[], copied: [] as number[] };
    for (const kind of pair % 2 ? (['copied', 'without'] as const) : (['without', 'copied'] as const)) {
      evidence = (await order(live, kind === 'copied' ? target : undefined)) ?? evidence;
      await window(url, agent); // until the queue of a candidate that hangs is full
      measured[kind] = await window(url, agent);
      p99s[kind].push(quantile(measured[kind], 0.99));
    }
    ratios.p50.push(quantile(measured.copied, 0.5) / quantile(measured.without, 0.5));
    ratios.p99.push(quantile(measured.copied, 0.99) / quantile(measured.without, 0.99));
  }
  evidence = await order(live, undefined);
  agent.destroy();
  const told = (['p50', 'p99'] as const).map((q) => {
    const [low, high] = interval(ratios[q]);
    return `${q} ${percent(quantile(ratios[q], 0.5))} (${percent(low)} to ${percent(high)})`;
  });
  const { compared = 0, failed = 0, skipped = 0 } = evidence ?? {};
  const levels = `p99 ${quantile(p99s.without, 0.5).toFixed(2)} ms without, ${quantile(p99s.copied, 0.5).toFixed(2)} ms copied`;
  console.log(`${name}: ${told.join(', ')}; ${levels}; compared ${compared}, failed ${failed}, skipped ${skipped}`);
}

const artifact = await modelArtifact(mlp([FEATURES, 64, 64, 2]));
const [live, candidate] = [await startServer(artifact), await startServer(artifact)];
const silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
try {
  await Promise.all([live.logged('ready'), candidate.logged('ready'), once(silent, 'listening')]);
  const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await order(live, silentUrl); // the thread that copies is started once
  await window(await live.url('rest', '/v2/models/flights/infer'), new Agent({ keepAlive: true }));
  await compare('hangs', live, silentUrl);
  await compare('refuses', live, 'http://127.0.0.1:1');
  await compare('answers', live, await candidate.url('rest', ''));
} finally {
  await Promise.all([live.kill(), candidate.kill()]);
  silent.close();
}
process.exit(0);
