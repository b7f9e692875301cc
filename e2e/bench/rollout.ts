import { inTemporaryFolder } from '@slipway/hack/local-cluster/temporaryFolder.ts';
import { inferenceServices, type ModelVersion } from '@slipway/operator/api/kinds.ts';
import { abortRequest } from '@slipway/operator/cli/requests.ts';
import { awaitGoal, awaitObject } from '../ground/await.ts';
import { prepareGround } from '../ground/install.ts';
import { quantile } from '../load/quantile.ts';
import { flightRows } from '../load/rows.ts';
import { type Detection, detect, FAILING } from '../story/detection.ts';
import { rollOut, sameBytesAs } from '../story/rollout.ts';
import { keyIn } from '../story/stage.ts';
import { openSteady, type Steady } from '../story/steady.ts';
import { openTraffic } from '../story/traffic.ts';
import { publishFaulty } from '../story/variants/publish.ts';
import { startArgo } from './argo/controller.ts';
import { ofVersion } from './argo/manifests.ts';
import { openArgo, podTemplateOf } from './argo/peer.ts';
import { type Measurement, report } from './report.ts';

const NAMESPACE = 'bench-rollout';
const BAD = '2.0.0';
const PER_SECOND = 100;
const BUSY_PER_SECOND = 500;
const WAIT_MS = 120_000;

const rounds = Number(process.env['ROUNDS'] ?? 10);
const tell = (text: string): void => console.error(`  ${text}`);

interface Found {
  readonly ours: readonly Detection[];
  readonly argos: readonly Detection[];
  readonly argoVersion: string;
}

/** In turns, so that whatever else the machine does meets both. */
async function detections({ stage, traffic, trained, service }: Steady, bad: ModelVersion): Promise<Found> {
  const from = trained.version.spec.version;
  const template = await podTemplateOf(stage, from);
  return inTemporaryFolder(async (folder) => {
    const controllers = await startArgo(stage, folder);
    try {
      const argo = await openArgo(stage, {
        stable: { version: trained.version, template },
        bad: { version: BAD, template: ofVersion(template, trained.version, bad) },
        prometheusUrl: controllers.prometheusUrl,
        perSecond: PER_SECOND,
      });
      const [ours, argos]: [Detection[], Detection[]] = [[], []];
      for (let run = 1; run <= rounds; run += 1) {
        ours.push(await detect(stage, traffic, { name: service.metadata.name, from, to: BAD, run }));
        argos.push(await argo.detect(run));
        tell(`round ${run}: ours ${ours.at(-1)?.faultToZeroMs} ms, Argo Rollouts ${argos.at(-1)?.faultToZeroMs} ms`);
      }
      await argo.traffic.stop();
      return { ours, argos, argoVersion: controllers.version };
    } finally {
      await controllers.stop();
    }
  });
}

/** A sound version is promoted, and another is taken back at half of the traffic, while many ask. */
async function promoteAndTakeBack({ stage, service, trained }: Steady, traffic: Steady['traffic'], run: number) {
  const { client } = stage.ground;
  const { name } = service.metadata;
  const { version } = trained.version.spec;
  const steps = (time: string) => [{ weight: 10 }, { weight: 50, for: time }, { weight: 100 }];
  const guards = [{ name: 'errors', errors: { max: '5%' } }];
  const predictor = (cpu: number) => sameBytesAs(version, cpu).predictor;
  const order = { name, from: version, to: version };
  const policy = { steps: steps('3s'), guards };
  await rollOut(stage, traffic, { ...order, goal: 'RolloutComplete', policy, predictor: predictor(200 + 2 * run) });
  await client.merge(inferenceServices, keyIn(stage, name), {
    spec: { predictor: predictor(201 + 2 * run), rollout: { steps: steps('10m') } },
  });
  const half = await awaitObject(
    client,
    inferenceServices,
    keyIn(stage, name),
    ({ status }) => status?.traffic?.programmed?.candidate === 5000,
    { what: 'half of the traffic', timeoutMs: WAIT_MS },
  );
  await traffic.hear(2 * BUSY_PER_SECOND);
  const abort = abortRequest(half);
  if (abort.kind === 'refused') throw new Error(abort.why);
  await client.merge(inferenceServices, keyIn(stage, name), abort.patch);
  await awaitGoal(client, inferenceServices, keyIn(stage, name), 'RolledBack', WAIT_MS);
  await traffic.hear(2 * BUSY_PER_SECOND);
}

async function failedPerHundredThousand(steady: Steady): Promise<readonly Measurement[]> {
  const traffic = await openTraffic(steady.stage, steady.service, await flightRows(2000), BUSY_PER_SECOND);
  for (let run = 1; run <= Math.max(2, rounds / 2); run += 1) await promoteAndTakeBack(steady, traffic, run);
  await traffic.stop();
  const { total, unexcused } = traffic.tally();
  for (const answer of unexcused.slice(0, 5)) tell(JSON.stringify(answer));
  const what = 'failed or misrouted requests per 100,000 during promotions and rollbacks at 500 requests/s';
  return [
    { what, value: (unexcused.length * 1e5) / total, unit: '' },
    { what: `${what}: requests asked`, value: total, unit: 'requests' },
  ];
}

const FAULT = 'first error of a candidate that fails 30 % at 10 % of 100 requests/s to its last answer';

function timesOf(who: string, found: readonly Detection[]): readonly Measurement[] {
  const times = found.map(({ faultToZeroMs }) => faultToZeroMs / 1000);
  const failed = found.map((each) => each.failed);
  return [
    { what: `${FAULT}, ${who}: p50`, value: quantile(times, 0.5), unit: 's' },
    { what: `${FAULT}, ${who}: the longest of the runs`, value: Math.max(...times), unit: 's' },
    { what: `${FAULT}, ${who}: requests that failed, median`, value: quantile(failed, 0.5), unit: 'requests' },
    { what: `${FAULT}, ${who}: runs`, value: found.length, unit: 'runs' },
  ];
}

async function measure(): Promise<void> {
  const steady = await openSteady(NAMESPACE, { steps: [{ weight: 100 }] }, { perSecond: PER_SECOND });
  try {
    const bad = await publishFaulty(steady.stage, steady.trained.version, BAD, FAILING);
    const { ours, argos, argoVersion } = await detections(steady, bad);
    await steady.traffic.stop();
    await report('rollout', [
      ...timesOf('Slipway', ours),
      ...timesOf(`Argo Rollouts ${argoVersion}`, argos),
      ...(await failedPerHundredThousand(steady)),
    ]);
  } finally {
    await steady.close();
  }
}

const ground = await prepareGround(tell, () => {});
await ground.close();
await measure();
