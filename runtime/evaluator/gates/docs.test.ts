import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Gate, gateSchema } from '@slipway/crds';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { orderOf, putArtifact, rivalOf, soundPredictions, specOf } from '../testing/store.ts';
import { verify } from '../verify.ts';

const PAGE = join(import.meta.dirname, '../../../docs/gates.md');
const text = await readFile(PAGE, 'utf8');
const gates: readonly Gate[] = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  (parse(block) as unknown[]).map((gate) => gateSchema.parse(gate)),
);

let verdicts: Readonly<Record<string, { readonly verdict: string; readonly message: string }>>;
beforeAll(async () => {
  const claims = await temporaryFolder('documented');
  const rival = await putArtifact(claims, 'flights/old', soundPredictions());
  const more = { 'evaluation/metrics.json': '{"accuracy": 0.74}' };
  const digest = await putArtifact(claims, 'flights/new', soundPredictions(), more);
  const order = orderOf(claims, specOf('flights/new', digest), gates, [rivalOf('flights/old', rival)]);
  const report = await verify({ ...order, spec: undefined });
  verdicts = Object.fromEntries(report.gates.map((gate) => [gate.name, gate]));
});

describe('the examples of docs/gates.md', () => {
  it('show every kind of gate and comparison', () => {
    const used = new Set(gates.flatMap((gate) => Object.keys(gate)));
    for (const field of [
      'metric',
      'min',
      'max',
      'slice',
      'minSamples',
      'versus',
      'margin',
      'across',
      'maxGap',
      'latency',
      'parity',
      'maxBytes',
      'reported',
    ])
      expect(used, field).toContain(field);
  });

  it.each(gates.map(({ name }) => name))('%s passes on a sound model', (name) => {
    expect(verdicts[name]).toMatchObject({ verdict: 'Pass' });
  });

  it('name every metric that a gate can ask for', () => {
    for (const metric of gateSchema.shape.metric.unwrap().options) expect(text, metric).toContain(`\`${metric}\``);
  });
});
