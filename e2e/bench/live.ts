import { pods } from '@slipway/operator/api/builtin.ts';
import { type Ground, hack } from '../ground/ground.ts';
import { OPERATOR_NAMESPACE, prepareGround } from '../ground/install.ts';
import { flightRows } from '../load/rows.ts';
import { type FlightsStory, playFlights } from '../story/flights.ts';
import { smallService } from '../story/manifests.ts';
import { type Rollout, serve } from '../story/rollout.ts';
import type { Stage } from '../story/stage.ts';
import { sumOf } from './metrics.ts';
import { type Measurement, report } from './report.ts';

const NAMESPACE = 'bench';
const seconds = (what: string, ms: number): Measurement => ({ what, value: ms / 1000, unit: 's' });

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await action();
  return Date.now() - start;
}

/** From the edit of the spec to the first sight of the candidate past Preparing, when all its pods are ready. */
function readyMs({ askedAt, sightings }: Rollout): number {
  const past = sightings.find(({ status }) => (status.candidate?.phase ?? 'Preparing') !== 'Preparing');
  if (past === undefined) throw new Error('the candidate never became ready');
  return past.at - askedAt;
}

function faultMeasurements({ fault, rollback }: FlightsStory): Measurement[] {
  if (fault === undefined) throw new Error('the third version never failed, so nothing can be measured');
  const decided = rollback.routeClosedAt ?? fault.lastAnswerAt;
  return [
    seconds('first error of a bad candidate to its last answer', fault.lastAnswerAt - fault.firstFaultAt),
    seconds('decision (route seen closed) to zero traffic', Math.max(0, fault.lastAnswerAt - decided)),
  ];
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
const story = await playFlights(stage, { host: 'bench.example.com', rows: await flightRows(20_000), perSecond: 300 });
await serveThree(stage, story);
await report('live', [
  seconds('cluster up, programs cached', up),
  seconds('new version asked for to candidate ready', readyMs(story.promotion)),
  ...faultMeasurements(story),
  await operatorMemory(ground),
]);
await ground.close();
await hack('cluster', ['down']);
