import { LABELS, PORTS } from '@slipway/crds/contract';
import { TestClient } from '@slipway/runtime/server/grpc/testing/client.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../ground/diagnose.ts';
import { type Ground, openGround } from '../ground/ground.ts';
import { flightRows } from '../load/rows.ts';
import { type FlightsStory, playFlights } from '../story/flights.ts';

const NAMESPACE = 'flights-e2e';

let ground: Ground;
let story: FlightsStory;

beforeAll(async () => {
  ground = await openGround();
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=90s');
  const stage = { ground, namespace: NAMESPACE, tell: (what: string) => console.error(`  ${what}`) };
  try {
    story = await playFlights(stage, {
      host: 'flights-e2e.example.com',
      rows: await flightRows(20_000),
      perSecond: 300,
    });
  } catch (error) {
    console.error(await diagnose(ground, NAMESPACE));
    throw error;
  }
});
afterAll(async () => {
  await ground.kubectl('delete', 'namespace', NAMESPACE, '--wait=false');
  await ground.close();
});

const conditions = (object: { status?: { conditions?: readonly { type: string; status: string }[] | undefined } }) =>
  Object.fromEntries((object.status?.conditions ?? []).map((c) => [c.type, c.status]));

describe('training', () => {
  test('each pod ran on a node chosen by its accelerator, with one of its own', () => {
    for (const { pod } of [story.first, story.second, story.third]) {
      expect(pod?.spec?.containers.some((c) => c.resources?.limits?.['nvidia.com/gpu'] === '1')).toBe(true);
      expect(JSON.stringify(pod?.spec?.affinity)).toContain('nvidia.com/gpu.product');
      expect(pod?.spec?.nodeName).toBeTruthy();
    }
  });
  test('each version says which run, image and parameters it comes from', () => {
    for (const { job, version } of [story.first, story.second, story.third]) {
      expect(version.spec.provenance).toMatchObject({
        trainingJob: job.metadata.name,
        trainingJobUid: job.metadata.uid,
        parameters: job.spec.parameters,
      });
      expect(version.spec.artifact.digest).toBe(job.status?.artifact?.digest);
    }
  });
  test('every gate of every version passed on its lower bound, the bad one included', () => {
    for (const { version } of [story.first, story.second, story.third]) {
      expect(version.status?.gates?.length).toBeGreaterThan(0);
      for (const gate of version.status?.gates ?? []) {
        expect(gate.verdict).toBe('Pass');
        expect(gate.n).toBeGreaterThan(0);
      }
      expect(conditions(version)).toMatchObject({ Verified: 'True', Ready: 'True' });
    }
  });
});

describe('promotion', () => {
  const shares = () => [
    ...new Set(
      story.promotion.sightings.map(({ status }) => status.traffic?.programmed?.candidate ?? 0).filter((w) => w > 0),
    ),
  ];

  test('the second version got 5, 25, 50 and 100 percent, in that order', () => {
    expect(shares()).toEqual([500, 2500, 5000, 10_000]);
  });
  test('it answered to callers while it was the candidate, and alone afterwards', () => {
    const { version } = story.second.version.spec;
    expect(story.promotion.service.status?.stable).toMatchObject({ version });
    expect(conditions(story.promotion.service)).toMatchObject({ Ready: 'True', RolloutComplete: 'True' });
    expect(story.tally.byVersion.find((v) => v.version === version)?.answers).toBeGreaterThan(100);
  });
  test('promotion and the later rollback restarted none of its pods', () => {
    const { firstPods } = story.promotion;
    expect(firstPods.length).toBeGreaterThan(0);
    expect(story.lastPods).toEqual(expect.arrayContaining([...firstPods]));
  });
});

/** Typed contents of the datatypes that the flights model takes. */
const CONTENTS: Readonly<Record<string, string>> = { FP32: 'fp32_contents', INT64: 'int64_contents' };

describe('the ports of a version', () => {
  test('gRPC answers at its Service what REST answers', async () => {
    const { version } = story.promotion.service.status?.stable ?? {};
    const chosen = `${LABELS.inferenceService}=flights,${LABELS.version}=${version}`;
    const pods = ['-n', NAMESPACE, 'get', 'pods', '-l', chosen, '-o', `jsonpath={.items[0].metadata.labels}`];
    const revision = JSON.parse(await ground.kubectl(...pods))[LABELS.revision];
    const service = ['-n', NAMESPACE, 'get', 'service', '-l', `${LABELS.revision}=${revision}`];
    const address = await ground.kubectl(...service, '-o', 'jsonpath={.items[0].spec.clusterIP}');
    const [row] = await flightRows(1);
    const { inputs } = JSON.parse(row?.body ?? '');
    const rest = await fetch(`http://${address}/v2/models/flights/infer`, { method: 'POST', body: row?.body ?? '' });
    const { outputs } = (await rest.json()) as { outputs: { name: string; data: number[] }[] };
    const { message } = await new TestClient(`${address}:${PORTS.grpc}`).call('ModelInfer', {
      model_name: 'flights',
      inputs: inputs.map(({ data, ...tensor }: { datatype: string; data: unknown }) => ({
        ...tensor,
        contents: { [CONTENTS[tensor.datatype] as string]: data },
      })),
    });
    expect(message).toMatchObject({
      model_version: version,
      outputs: outputs.map(({ name }) => ({ name, datatype: 'FP32' })),
    });
    const answered = message['outputs'] as { contents: { fp32_contents: number[] } }[];
    for (const [i, { contents }] of answered.entries())
      expect(contents.fp32_contents.map(Math.fround)).toEqual(outputs[i]?.data.map(Math.fround));
  });
});

describe('rollback', () => {
  test('the third version failed its callers and lost its traffic', () => {
    expect(story.fault?.failed).toBeGreaterThan(0);
    const { firstFaultAt = 0, lastAnswerAt = 0 } = story.fault ?? {};
    expect(lastAnswerAt - firstFaultAt).toBeLessThan(60_000);
  });
  test('the service stays Ready with the second version, and says that it is stalled and why', () => {
    const { service } = story.rollback;
    expect(conditions(service)).toMatchObject({ Ready: 'True', Stalled: 'True', RolloutComplete: 'False' });
    expect(service.status?.stable?.version).toBe(story.second.version.spec.version);
    expect(service.status?.conditions?.find((c) => c.type === 'Stalled')?.reason).toBe('RolledBack');
  });
  test('the rejected digest is remembered with its evidence', () => {
    expect(story.rollback.service.status?.rejected).toMatchObject([
      { version: story.third.version.spec.version, digest: story.third.version.spec.artifact.digest },
    ]);
  });
});

describe('callers', () => {
  test('got no failed and no wrong-version answer outside the share of the bad candidate', () => {
    expect(story.tally.unexcused.slice(0, 5)).toEqual([]);
    expect(story.tally.total).toBeGreaterThan(1000);
  });
  test('got predictions far better than a coin', () => {
    // A coin's 0.5 scores 0.25; always saying the base rate of 20 % scores 0.16.
    const judged = story.tally.byVersion.filter(({ answers }) => answers > 1000);
    expect(judged.map(({ version }) => version)).toEqual(['1.0.0', '1.1.0']);
    for (const { brier } of judged) expect(brier).toBeLessThan(0.18);
  });
});
