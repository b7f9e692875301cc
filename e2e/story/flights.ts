import { type PersistentVolumeClaim, persistentVolumeClaims } from '@slipway/operator/api/builtin.ts';
import type { InferenceService, TrainingJob } from '@slipway/operator/api/kinds.ts';
import { ensureRestrictedNamespace } from '../ground/namespaces.ts';
import { type Fault, faultOf, type Tally } from '../load/ledger.ts';
import type { Row } from '../load/probe.ts';
import { podUids, type Rollout, rollOut, serve } from './rollout.ts';
import { sample } from './samples.ts';
import { FIELD_MANAGER, type Stage, slipwayCommand } from './stage.ts';
import { openTraffic, type Traffic } from './traffic.ts';
import { type Trained, train } from './training.ts';

/** Everything the story saw, for the demo to sum up and for the tests to judge. */
export interface FlightsStory {
  readonly first: Trained;
  readonly second: Trained;
  readonly third: Trained;
  readonly serving: InferenceService;
  readonly promotion: Rollout;
  readonly rollback: Rollout;
  /** Uids of the second version's pods at the end, after its promotion and the rollback of the third. */
  readonly lastPods: readonly string[];
  readonly tally: Tally;
  /** The third version as callers saw it; undefined when it never failed. */
  readonly fault: Fault | undefined;
}

export interface StoryOptions {
  /** Of its own: two services of one host would share its traffic by the age of their routes. */
  readonly host: string;
  readonly rows: readonly Row[];
  readonly perSecond: number;
}

/** Answers to hear after the last change, so that a late one by the wrong version is not missed. */
const AFTERMATH = 300;

/** Held until someone awaits it: a run that fails early must not end the program while something else is awaited. */
function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

async function one<T extends TrainingJob | InferenceService | PersistentVolumeClaim>(
  stage: Stage,
  file: string,
): Promise<T> {
  const [object] = await sample<T>(file, stage.namespace);
  if (object === undefined) throw new Error(`config/samples/flights/${file} holds no object`);
  return object;
}

async function setStage(stage: Stage): Promise<void> {
  await ensureRestrictedNamespace(stage.ground.client, stage.namespace);
  const claim = await one<PersistentVolumeClaim>(stage, 'models-claim.yaml');
  await stage.ground.client.apply(persistentVolumeClaims, claim, { fieldManager: FIELD_MANAGER });
}

const trainSample = async (stage: Stage, file: string): Promise<Trained> =>
  train(stage, await one<TrainingJob>(stage, file));

async function serveFirst(stage: Stage, { version }: Trained, host: string): Promise<InferenceService> {
  const manifest = await one<InferenceService>(stage, 'inferenceservice.yaml');
  const model = { ...manifest.spec.model, version: version.spec.version };
  const traffic = { ...manifest.spec.traffic, hostnames: [host] };
  return serve(stage, { ...manifest, spec: { ...manifest.spec, model, traffic } });
}

function tellFault({ tell }: Stage, fault: Fault, version: string): void {
  const seconds = ((fault.lastAnswerAt - fault.firstFaultAt) / 1000).toFixed(1);
  tell(`Version ${version} failed ${fault.failed} of ${fault.answers} requests; fault to zero traffic: ${seconds} s`);
}

async function play(stage: Stage, first: Trained, serving: InferenceService, traffic: Traffic, runs: Runs) {
  const { name } = serving.metadata;
  const [v1, second] = [first.version.spec.version, await runs.second];
  const v2 = second.version.spec.version;
  const promotion = await rollOut(stage, traffic, { name, from: v1, to: v2, goal: 'RolloutComplete' });
  stage.tell(`Version ${v2} is promoted: it is stable now`, slipwayCommand(stage, 'status', `infs/${name}`));
  const third = await runs.third;
  const v3 = third.version.spec.version;
  const rollback = await rollOut(stage, traffic, { name, from: v2, to: v3, goal: 'RolledBack' });
  stage.tell(`Version ${v3} was rolled back by itself`, slipwayCommand(stage, 'explain', `infs/${name}`));
  await traffic.hear(AFTERMATH);
  const fault = faultOf(traffic.answers, v3);
  if (fault !== undefined) tellFault(stage, fault, v3);
  const lastPods = await podUids(stage, name, v2);
  return { second, third, promotion, rollback, fault, lastPods, v3 };
}

interface Runs {
  readonly second: Promise<Trained>;
  readonly third: Promise<Trained>;
}

/**
 * The flights story: a first model trains and serves; a second is promoted through a canary; a third, whose gates
 * pass, is rolled back. The next model trains while the one before is being served.
 */
export async function playFlights(stage: Stage, { host, rows, perSecond }: StoryOptions): Promise<FlightsStory> {
  await setStage(stage);
  const first = await trainSample(stage, 'trainingjob-v1.yaml');
  const second = later(trainSample(stage, 'trainingjob-v2.yaml'));
  const third = later(second.then(() => trainSample(stage, 'trainingjob-v3.yaml')));
  const serving = await serveFirst(stage, first, host);
  const traffic = await openTraffic(stage, serving, rows, perSecond);
  try {
    const { v3, ...rest } = await play(stage, first, serving, traffic, { second, third });
    return { first, serving, ...rest, tally: traffic.tally(v3) };
  } finally {
    await traffic.stop();
  }
}
