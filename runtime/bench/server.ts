/**
 * Loopback load on one model server: a small network, one row a request. The callers share the machine with the server, so
 * these numbers are a floor. Prints a table and writes .bench/server.json.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { mlp, modelArtifact } from '../test/artifacts.ts';
import { type ServerProcess, startServer } from '../test/serverProcess.ts';

const FEATURES = 9;
const SECONDS = 3;
const BODY = JSON.stringify({
  inputs: [
    {
      name: 'v0',
      datatype: 'FP32',
      shape: [1, FEATURES],
      data: Array.from({ length: FEATURES }, (_, i) => Math.cos(i)),
    },
  ],
});

interface Row {
  readonly connections: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  readonly cpuSecondsPer1000: number;
}

function ask(url: string, agent: Agent): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const call = request(url, { method: 'POST', agent }, (response) => {
    response.resume().once('end', () => resolve(response.statusCode ?? 0));
  });
  call.once('error', reject).end(BODY);
  return promise;
}

async function loop(url: string, agent: Agent, until: number, latencies: number[]): Promise<number> {
  let failed = 0;
  while (performance.now() < until) {
    const begin = performance.now();
    failed += (await ask(url, agent)) === 200 ? 0 : 1;
    latencies.push(performance.now() - begin);
  }
  return failed;
}

/** A value of the server's own /metrics. */
async function metric(server: ServerProcess, name: string): Promise<number> {
  const text = await (await server.fetch('admin', '/metrics')).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

async function measure(server: ServerProcess, connections: number, seconds: number): Promise<Row> {
  const url = await server.url('rest', '/v2/models/flights/infer');
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const latencies: number[] = [];
  const cpuBefore = await metric(server, 'process_cpu_seconds_total');
  const until = performance.now() + seconds * 1000;
  const failed = await Promise.all(Array.from({ length: connections }, () => loop(url, agent, until, latencies)));
  const cpu = (await metric(server, 'process_cpu_seconds_total')) - cpuBefore;
  agent.destroy();
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => rounded(latencies[Math.floor(q * (latencies.length - 1))] ?? Number.NaN, 3);
  return {
    connections,
    requestsPerSecond: Math.round(latencies.length / seconds),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    failed: failed.reduce((sum, n) => sum + n, 0),
    cpuSecondsPer1000: rounded((cpu / latencies.length) * 1000, 3),
  };
}

const begin = performance.now();
const server = await startServer(await modelArtifact(mlp([FEATURES, 32, 16, 1])));
try {
  await server.logged('ready');
  const coldStartMs = Math.round(performance.now() - begin);
  const idleMiB = Math.round((await metric(server, 'process_resident_memory_bytes')) / 2 ** 20);
  await measure(server, 8, 1); // compiles the hot paths
  const rows: Row[] = [];
  for (const connections of [1, 4, 16, 64]) rows.push(await measure(server, connections, SECONDS));
  const loadedMiB = Math.round((await metric(server, 'process_resident_memory_bytes')) / 2 ** 20);
  console.table(rows);
  if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1; // refusals are fast: such numbers are worth nothing
  console.log(`cold start ${coldStartMs} ms, memory ${idleMiB} MiB idle, ${loadedMiB} MiB after load`);
  await mkdir('.bench', { recursive: true });
  const best = rows.reduce((a, b) => (b.requestsPerSecond > a.requestsPerSecond ? b : a));
  const measurements = [
    { what: 'model server: start of the process to ready', value: coldStartMs, unit: 'ms' },
    { what: 'model server: resident memory after load', value: loadedMiB, unit: 'MiB' },
    { what: 'model server: latency p50, 1 connection', value: rows[0]?.p50Ms ?? Number.NaN, unit: 'ms' },
    {
      what: `model server: requests a second, ${best.connections} connections`,
      value: best.requestsPerSecond,
      unit: 'requests/s',
    },
  ];
  await writeFile('.bench/server.json', JSON.stringify({ name: 'server', measurements, rows }, null, 2));
} finally {
  await server.kill();
}
