import { readFile } from 'node:fs/promises';
import { inferenceServiceSpecSchema } from '@slipway/crds';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { failedGuard, holdingGuard } from './acting.ts';
import { candidateOf, latencies, type Scene, seen, verdictIn, worldOf } from './builders.ts';
import { kindsOfGuards } from './kinds.ts';

const PHASES = ['Shadowing', 'Previewing', 'Shifting', 'Baking'] as const;
const policyOf = (rollout: unknown) =>
  inferenceServiceSpecSchema.parse({ model: { name: 'flights', version: '1.0.0' }, rollout }).rollout;

let page = '';
let blocks: unknown[] = [];
beforeAll(async () => {
  page = await readFile(new URL('../../../../docs/guards.md', import.meta.url), 'utf8');
  blocks = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => parse(text));
});

describe('docs/guards.md', () => {
  test('has a policy that the API takes, with a guard of each kind', () => {
    const { guards = [] } = policyOf(blocks[0]);
    expect(guards.map((guard) => Object.keys(guard).find((key) => kindsOfGuards.includes(key as never)))).toEqual([
      ...kindsOfGuards,
    ]);
  });

  test('says of each kind where it acts and where it holds, as it does', () => {
    const { guards = [] } = policyOf(blocks[0]);
    const rows = guards.map((guard) => {
      const acts = (verdict: 'Fail' | 'NeedMore') =>
        PHASES.filter((phase) => {
          const scene: Scene = { guards: [{ ...guard, observe: false }], phase };
          const status = { name: guard.name, verdict, rate: '', low: '', high: '', limit: '', n: 0 };
          const ask = verdict === 'Fail' ? failedGuard : holdingGuard;
          return ask(worldOf(scene), candidateOf(scene), [status]) !== undefined;
        }).join(', ');
      return [acts('Fail'), acts('NeedMore')];
    });
    const table = [...page.matchAll(/^\| `(\w+)` \| .* \| (.*) \| (.*) \|$/gm)];
    expect(table.map(([, kind]) => kind)).toEqual([...kindsOfGuards]);
    expect(table.map(([, , acts, holds]) => [acts, holds])).toEqual(rows);
  });

  test('shows a status as it is', () => {
    const latency = policyOf({ guards: [{ name: 'latency', latency: { threshold: '60ms' } }] }).guards ?? [];
    const scene: Scene = {
      guards: latency,
      candidate: seen(latencies({ 40: 850, 90: 150 })),
      stable: seen(latencies({ 40: 20_000, 90: 100 })),
    };
    expect(blocks[1]).toEqual(verdictIn(scene));
  });
});
