import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Condition } from '@slipway/crds';
import { ANNOTATIONS } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { LuaFactory } from 'wasmoon';
import { parse } from 'yaml';
import { plan as planTraining } from '../src/controllers/trainingjob/plan.ts';
import type { World as TrainingWorld } from '../src/controllers/trainingjob/world.ts';
import { facts } from '../src/domain/registry/builders.ts';
import type { Facts } from '../src/domain/registry/facts.ts';
import { standing } from '../src/domain/registry/standing.ts';
import { candidateAt, pods, serving, shifting, specOf } from '../src/domain/rollout/builders.ts';
import { plan as planRollout } from '../src/domain/rollout/plan.ts';
import { fresh, preparing, rolledBack, V0, V1 } from '../src/domain/rollout/planWorlds.ts';
import type { World as RolloutWorld } from '../src/domain/rollout/world.ts';
import { mergeConditions, type Observation } from '../src/kube/conditions.ts';
import { AT, after, DIGEST, FAILURE, modelVersion, pod } from './trainingBuilders.ts';
import { attempt, claimed, running, world } from './trainingWorlds.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { data } = parse(readFileSync(join(ROOT, 'config/argocd/argocd-cm.yaml'), 'utf8')) as {
  data: Record<string, string>;
};
const lua = new LuaFactory();

/** What a script makes of an object, in a real Lua, as Argo CD hands it over: plain tables. */
async function run(script: string, obj: object): Promise<Record<string, never>> {
  const engine = await lua.createEngine({ enableProxy: false });
  try {
    engine.global.set('obj', JSON.parse(JSON.stringify(obj)));
    return await engine.doString(script);
  } finally {
    engine.global.close();
  }
}

/** An object of a kind, with what a plan says of it. */
const objectOf = (observed: readonly Observation[], status: object = {}, spec: object = {}) => {
  const conditions: Condition[] = mergeConditions([], observed, 2, after(0));
  return {
    metadata: { name: 'flights', generation: 2 },
    spec,
    status: { ...status, conditions, observedGeneration: 2 },
  };
};
const health = (kind: string, obj: object) =>
  run(data[`resource.customizations.health.slipway.dev_${kind}`] ?? '', obj);

test.each(['InferenceService', 'TrainingJob', 'ModelVersion'])(
  'a %s that was changed and not looked at yet is progressing, whatever was true before',
  async (kind) => {
    const spec = { stage: 'Archived' };
    expect(await health(kind, { metadata: { generation: 1 }, spec })).toMatchObject({ status: 'Progressing' });
    const done: Observation[] = [{ type: 'Ready', status: 'True', reason: 'Done', message: 'Done.' }];
    const old = objectOf(done, {}, spec);
    expect(await health(kind, { ...old, metadata: { generation: 3 } })).toMatchObject({ status: 'Progressing' });
  },
);

describe('an InferenceService', () => {
  const waiting: RolloutWorld = {
    ...preparing,
    spec: specOf({ steps: [{ shadow: 50 }, { approval: true }, { weight: 100 }], guards: [] }),
    status: { ...preparing.status, candidate: { ...candidateAt('Shadowing', 0, 1), shadow: 50 } },
    revisions: { [V0]: pods(2), [V1]: pods(2) },
  };
  test.each<[string, RolloutWorld, string]>([
    ['that serves what is wanted', serving, 'Healthy'],
    ['that has no pod yet', fresh, 'Progressing'],
    ['whose candidate prepares', preparing, 'Progressing'],
    ['in mid-rollout', shifting, 'Progressing'],
    ['that was rolled back, though the version before answers', rolledBack, 'Degraded'],
    ['that a person has paused', { ...shifting, asked: { pause: 'true' } }, 'Suspended'],
    ['that waits for an approval', waiting, 'Suspended'],
    ['whose pods are gone', { ...serving, revisions: { [V0]: pods(0) } }, 'Degraded'],
  ])('%s', async (_name, given, status) => {
    const { observed, status: told } = planRollout(given);
    expect(await health('InferenceService', objectOf(observed, told))).toMatchObject({ status });
  });

  test.each(['True', 'False', 'Unknown'])(
    'kserve#3973, kserve#4791: is judged the same when a later release tells of something new, which is %s',
    async (status) => {
      const news: Observation = { type: 'SomethingNew', status: status as 'True', reason: 'News', message: 'New.' };
      for (const given of [serving, shifting, rolledBack, waiting]) {
        const { observed, status: told } = planRollout(given);
        const before = await health('InferenceService', objectOf(observed, told));
        expect(await health('InferenceService', objectOf([news, ...observed], told))).toEqual(before);
      }
    },
  );

  test('that waits says for what', async () => {
    const { observed } = planRollout(waiting);
    const { message } = await health('InferenceService', objectOf(observed));
    expect(message).toContain('kubectl slipway approve');
  });
});

describe('a TrainingJob', () => {
  const asked = { publish: { store: 'pvc://models', when: 'Asked' as const } };
  const trained = { ...claimed, phase: 'Trained' as const, trainedAt: '2026-01-01T00:00:00Z' };
  test.each<[string, TrainingWorld, string]>([
    ['that starts', world(claimed), 'Progressing'],
    ['that trains', world(running, { attempt: attempt(undefined, pod({ phase: 'Running' })) }), 'Progressing'],
    ['that is suspended, as a pattern is', world(claimed, {}, { suspend: true }), 'Suspended'],
    ['that waits to be asked to publish', world(trained, {}, asked), 'Suspended'],
    [
      'that failed for good',
      world(running, { attempt: attempt('Failed', pod({ phase: 'Failed', exitCode: 1 })) }, { failure: FAILURE }),
      'Degraded',
    ],
  ])('%s', async (_name, given, status) => {
    const { observed, status: told } = planTraining(given);
    expect(await health('TrainingJob', objectOf(observed, told))).toMatchObject({ status });
  });

  test('that made its version', async () => {
    const done = {
      ...running,
      phase: 'Publishing' as const,
      trainedAt: AT,
      artifact: { uri: 'pvc://m/x', digest: DIGEST },
    };
    const made = modelVersion();
    const { observed, status } = planTraining(world(done, { modelVersion: made, attempt: attempt('Complete') }));
    expect(await health('TrainingJob', objectOf(observed, status))).toMatchObject({ status: 'Healthy' });
  });
});

describe('a ModelVersion', () => {
  const none = { current: undefined, since: AT, verifying: undefined, leaving: undefined };
  const no = (type: string, status: 'False' | 'Unknown'): Observation => ({
    type,
    status,
    reason: 'Why',
    message: 'Why.',
  });
  test.each<[string, Partial<Facts>, string]>([
    ['in the stage that it is asked to be in', { reached: 'Production' }, 'Healthy'],
    ['on its way', {}, 'Progressing'],
    ['whose gates are judged', { gates: no('GatesPassed', 'Unknown') }, 'Progressing'],
    ['whose gates failed', { gates: no('GatesPassed', 'False') }, 'Degraded'],
    ['whose files are others', { verified: no('Verified', 'False') }, 'Degraded'],
    ['that people must approve', { approval: 'Required' }, 'Suspended'],
    ['that was rolled back', { rejectedBy: ['flights'] }, 'Degraded'],
    ['that is archived', { asked: 'Archived', reached: 'Archived', rejectedBy: ['flights'] }, 'Healthy'],
  ])('%s', async (_name, changes, status) => {
    const given = facts(changes);
    const obj = objectOf(standing(given, none), {}, { stage: given.asked });
    expect(await health('ModelVersion', obj)).toMatchObject({ status });
  });
});

describe('what Argo CD lets people do with an InferenceService', () => {
  interface Actions {
    readonly 'discovery.lua': string;
    readonly definitions: readonly { readonly name: string; readonly 'action.lua': string }[];
  }
  const actions: Actions = parse(data['resource.customizations.actions.slipway.dev_InferenceService'] ?? '');
  const service = (annotations?: object, phase?: string) => ({
    metadata: { name: 'flights', ...(annotations && { annotations }) },
    spec: { retrain: { from: 'nightly' } },
    status: { rolloutID: 'r-7', ...(phase && { candidate: { phase } }) },
  });
  const act = async (name: string, obj: object) => {
    const script = actions.definitions.find((one) => one.name === name)?.['action.lua'] ?? '';
    return (await run(script, obj))['metadata'] as unknown as { annotations: Record<string, string> };
  };
  const enabled = async (obj: object) =>
    Object.entries(await run(actions['discovery.lua'], obj))
      .filter(([, { disabled }]: [string, { disabled?: boolean }]) => disabled !== true)
      .map(([name]) => name)
      .sort();

  test('each action that is found is there', async () => {
    const found = Object.keys(await run(actions['discovery.lua'], service()));
    expect(found.sort()).toEqual(actions.definitions.map(({ name }) => name).sort());
  });

  test('stands in docs/argocd.md', () => {
    const page = readFileSync(join(ROOT, 'docs/argocd.md'), 'utf8');
    const [, told = ''] = /On an InferenceService: (.*?), each by/s.exec(page) ?? [];
    expect([...told.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(actions.definitions.map(({ name }) => name));
  });

  test('is what its state allows', async () => {
    expect(await enabled(service())).toEqual(['pause', 'retrain']);
    expect(await enabled(service({ 'slipway.dev/pause': 'true' }, 'Shifting'))).toEqual(['abort', 'resume', 'retrain']);
    expect(await enabled({ ...service({}, 'RolledBack'), spec: {} })).toEqual(['pause']);
  });

  test('writes what kubectl slipway writes, beside the annotations that are there', async () => {
    expect(await act('pause', service({ mine: 'kept' }))).toMatchObject({
      annotations: { mine: 'kept', [ANNOTATIONS.pause]: 'true' },
    });
    expect((await act('resume', service({ mine: 'kept', [ANNOTATIONS.pause]: 'true' }))).annotations).toEqual({
      mine: 'kept',
    });
    expect(await act('abort', service(undefined, 'Shifting'))).toMatchObject({
      annotations: { [ANNOTATIONS.abort]: 'r-7' },
    });
    const { annotations } = await act('retrain', service());
    expect(annotations[ANNOTATIONS.retrain]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
});
