import type {} from '@slipway/hack/local-cluster/vitestControlPlane.ts';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { UnderTest } from '../../../test/controllersUnderTest.ts';
import { diesAfter } from '../../../test/diesAfter.ts';
import { ServedModels } from '../../../test/servedModels.ts';
import { deployments } from '../../api/builtin.ts';
import { httpRoutes } from '../../api/gateway.ts';
import { type InferenceService, inferenceServices } from '../../api/kinds.ts';
import type { Stored } from '../../kube/wire.ts';

let models: ServedModels;
let under: UnderTest;

beforeAll(async () => {
  models = await ServedModels.start(inject('kubeconfig'));
  under = models.under;
});
afterAll(() => under.stop());

const untilGuard = (name: string, verdict: string, n: number): Promise<Stored<InferenceService>> =>
  under.until(inferenceServices, name, ({ status }) =>
    expect(status?.candidate?.guards?.[0]).toMatchObject({ verdict, n }),
  );
const routeOf = (name: string) => under.until(httpRoutes, name);

/** A service whose candidate 1.1.0 has 5 % of the requests. */
async function canary(name: string) {
  const { deployment, counters } = await models.firstVersion(name);
  await models.modelVersion(name, 1);
  await models.want(name, 1);
  const candidate = await models.deploymentOf('1.1.0', 1);
  const counted = await models.hand.serve(candidate, 1);
  const names = { stable: deployment.metadata.name, candidate: candidate.metadata.name };
  await models.hand.program(name, { [names.stable]: 9500, [names.candidate]: 500 });
  await models.blindAt(name, 5);
  return { stable: counters, candidate: counted, names, pods: candidate };
}

const ENDS = [
  ['a restart of the operator', 'restart'],
  ['a hand-over to another leader', 'handOver'],
] as const;

/** Has an operator see a little traffic, ends it, and waits until the next one has looked. */
async function interrupt(name: string, end: 'restart' | 'handOver', see: () => void, n: number) {
  see();
  const before = await untilGuard(name, 'NeedMore', n);
  await under[end]();
  // The window of the step begins anew: nothing that was counted before counts a second time.
  return { before, after: await untilGuard(name, 'Blind', 0) };
}

test.each(ENDS)(
  'seldon-core#5032: after %s in mid-canary the weights stay, and the rollout goes on to its end',
  async (_, end) => {
    const name = end === 'restart' ? 'restarted' : 'handed';
    const { stable, candidate, names, pods } = await canary(name);
    const answer = (byStable: number, byCandidate: number) => () => {
      stable.ok += byStable;
      candidate.ok += byCandidate;
    };
    const route = await routeOf(name);
    const { before, after } = await interrupt(name, end, answer(1900, 100), 100);
    const { guards: _before, ...kept } = before.status?.candidate ?? {};
    expect(after.status?.candidate).toMatchObject(kept);
    expect(after.status?.rolloutID).toBe(before.status?.rolloutID);
    expect(after.status?.history).toEqual(before.status?.history);
    answer(950, 50)();
    await untilGuard(name, 'NeedMore', 50);
    expect((await routeOf(name)).metadata.generation).toBe(route.metadata.generation);

    answer(19_000, 1000)();
    await models.hand.program(name, { [names.stable]: 5000, [names.candidate]: 5000 });
    await models.blindAt(name, 50);
    await interrupt(name, end, answer(20, 20), 20);
    answer(1000, 1000)();
    await models.deploymentOf('1.1.0', 2);
    await models.hand.serve(pods, 1, 1);
    await models.hand.program(name, { [names.candidate]: 10_000 });
    await models.blindAt(name, 100);
    await interrupt(name, end, answer(0, 20), 20);
    answer(0, 2000)();

    const done = await models.untilCondition(name, 'RolloutComplete', 'True', 'Complete');
    expect(done.status?.history?.slice(2).map(({ to }) => to)).toEqual([
      '1.1.0',
      'Shifting 5%',
      'Shifting 50%',
      'Shifting 100%',
      'Baking',
      '1.1.0',
    ]);
    await under.untilGone(deployments, names.stable);
    await models.remove(name);
  },
);

test.each(ENDS)(
  'after %s what the candidate failed before counts once, and with the rest rolls it back',
  async (_, end) => {
    const name = end === 'restart' ? 'recounted' : 'readdressed';
    const { stable, candidate, names } = await canary(name);
    stable.ok += 3800;
    candidate.ok += 187;
    candidate.serverError += 13;
    await untilGuard(name, 'NeedMore', 200);
    await under[end]();
    // 13 of 200 is too little to fail 2 %; 26 of 400 is enough: counted twice, it would be over now.
    const waiting = await untilGuard(name, 'Blind', 0);
    expect(waiting.status?.candidate).toMatchObject({ phase: 'Shifting', weight: 5 });

    candidate.ok += 187;
    candidate.serverError += 13;
    await models.hand.program(name, { [names.stable]: 10_000 });
    const back = await models.untilCondition(name, 'Stalled', 'True', 'RolledBack');
    expect(back.status?.rejected?.[0]?.message).toMatch(/^Guard errors failed: 6\.5% of 400 requests/);
    await models.remove(name);
  },
);

test('a rollback is carried on with after a death between its two first writes, though nothing shows the fault any more', async () => {
  const name = 'unfinished';
  const { stable, candidate, names } = await canary(name);
  const before = await under.until(inferenceServices, name);
  await under.withoutOperator(async () => {
    stable.ok += 1900;
    candidate.ok += 70;
    candidate.serverError += 30;
    await expect(models.passOverCached(before, diesAfter(under.client, 1))).rejects.toThrow('dead');
    candidate.serverError = 0;
  });
  await models.hand.program(name, { [names.stable]: 10_000 });
  const back = await models.untilCondition(name, 'Stalled', 'True', 'RolledBack');
  expect(back.status?.rejected).toMatchObject([{ version: '1.1.0', reason: 'GuardFailed' }]);
  await models.remove(name);
});

test('what the leader before wrote last holds, whatever an old cache says', async () => {
  const name = 'outdated';
  const { candidate, names } = await canary(name);
  const old = await under.until(inferenceServices, name);
  candidate.ok += 70;
  candidate.serverError += 30;
  const route = await models.hand.program(name, { [names.stable]: 10_000 });
  const back = await models.untilCondition(name, 'Stalled', 'True', 'RolledBack');
  candidate.serverError = 0;

  await models.passOverCached(old);
  const now = await under.until(inferenceServices, name);
  expect(now.status?.candidate?.phase).toBe('RolledBack');
  expect(now.status?.rejected).toEqual(back.status?.rejected);
  expect((await routeOf(name)).metadata.generation).toBe(route.metadata.generation);
  await models.remove(name);
});
