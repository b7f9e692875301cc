import { pods } from '@slipway/operator/api/builtin.ts';
import { type InferenceService, inferenceServices } from '@slipway/operator/api/kinds.ts';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { type Ground, hack } from '../ground/ground.ts';
import { OPERATOR_NAMESPACE, prepareGround } from '../ground/install.ts';
import type { Row } from '../load/probe.ts';
import { flightRows } from '../load/rows.ts';
import { type FlightsStory, playFlights } from '../story/flights.ts';
import { smallService } from '../story/manifests.ts';
import { type Rollout, serve } from '../story/rollout.ts';
import { keyIn, type Stage } from '../story/stage.ts';
import { openTraffic } from '../story/traffic.ts';
import { sumOf } from './metrics.ts';
import { type Measurement, report } from './report.ts';

const NAMESPACE = 'bench';
const PER_SECOND = 300;
const WAIT_MS = 60_000;
const seconds = (what: string, ms: number): Measurement => ({ what, value: ms / 1000, unit: 's' });

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await action();
  return Date.now() - start;
}

/** From the edit of the spec to the first sight of the candidate past Preparing, when all its pods are ready. */
function readyMs({ askedAt, sightings, service }: Rollout): number {
  const { version = '' } = service.spec.model;
  const past = sightings.find(
    ({ status: { candidate } }) => candidate?.version === version && candidate?.phase === 'Shifting',
  );
  if (past === undefined) throw new Error('the candidate never became ready');
  return past.at - askedAt;
}

function faultMs({ fault }: FlightsStory): number {
  if (fault === undefined) throw new Error('the third version never failed, so nothing can be measured');
  return fault.lastAnswerAt - fault.firstFaultAt;
}

/** Gives the first version half of the traffic, takes the wish back, and times its last answer from there. */
async function revertMs(stage: Stage, { first, second, serving }: FlightsStory, rows: readonly Row[]): Promise<number> {
  const { client } = stage.ground;
  const key = keyIn(stage, serving);
  const [stable, other] = [second.version.spec.version, first.version.spec.version];
  const ask = (version: string, rollout: object = {}) =>
    client.merge(inferenceServices, key, { spec: { model: { version }, rollout } });
  await ask(stable, { steps: [{ weight: 50, for: '5m' }, { weight: 100 }] });
  await awaitGoal(client, inferenceServices, key, 'RolloutComplete', WAIT_MS);
  const traffic = await openTraffic(stage, serving, rows, PER_SECOND);
  await ask(other);
  const isHalf = (s: InferenceService): boolean => s.status?.traffic?.programmed?.candidate === 5000;
  await awaitObject(client, inferenceServices, key, isHalf, { what: 'half of the traffic', timeoutMs: WAIT_MS });
  await traffic.hear(2 * PER_SECOND);
  const revertedAt = Date.now();
  await ask(stable);
  await awaitGoal(client, inferenceServices, key, 'RolloutComplete', WAIT_MS);
  await traffic.hear(PER_SECOND);
  await traffic.stop();
  return Math.max(...traffic.answers.filter((a) => a.version === other).map((a) => a.answeredAt)) - revertedAt;
}

/** Two more services beside that of the story, so that the operator looks after three. */
async function serveThree(stage: Stage, { second }: FlightsStory): Promise<void> {
  const rollout = { steps: [{ weight: 100 }] };
  for (const name of ['two', 'three']) await serve(stage, smallService(second.version, name, rollout));
}

async function operatorMemory({ client, kubectl }: Ground): Promise<Measurement> {
  const [pod] = await client.list(pods, OPERATOR_NAMESPACE);
  const port = pod?.spec?.containers[0]?.ports?.[0]?.containerPort;
  const path = `/api/v1/namespaces/${OPERATOR_NAMESPACE}/pods/${pod?.metadata.name}:${port}/proxy/metrics`;
  const bytes = sumOf(await kubectl('get', '--raw', path), 'process_resident_memory_bytes');
  return { what: 'operator resident memory with 3 services', value: bytes / 2 ** 20, unit: 'MiB' };
}

await hack('cluster', ['down']);
const up = await timed(() => hack('cluster', ['up']));
const ground = await prepareGround(
  () => {},
  () => {},
);
const stage: Stage = { ground, namespace: NAMESPACE, tell: (what) => console.error(`  ${what}`) };
const rows = await flightRows(20_000);
const story = await playFlights(stage, { host: 'bench.example.com', rows, perSecond: PER_SECOND });
const reverted = await revertMs(stage, story, rows);
await serveThree(stage, story);
await report('live', [
  seconds('cluster up, programs cached', up),
  seconds('new version asked for to candidate ready', readyMs(story.promotion)),
  seconds('first error of a bad candidate (5 % of 300 requests/s) to its last answer', faultMs(story)),
  seconds('spec reverted at 50 % to the last answer of the candidate', reverted),
  await operatorMemory(ground),
]);
await ground.close();
await hack('cluster', ['down']);
