import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Gate } from '@slipway/crds';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { judgeOne } from '../testing/evidence.ts';
import { readReported } from './reported.ts';

async function artifactOf(files: Readonly<Record<string, string | object>>): Promise<string> {
  const root = await temporaryFolder('reported');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}
const judge = async (gate: Omit<Gate, 'name'>, files: Readonly<Record<string, string | object>>) => {
  const root = await artifactOf(files);
  return (await judgeOne({ name: 'g', ...gate }, [], { reported: () => readReported(root) })).result;
};

const FLAT = { 'evaluation/metrics.json': { accuracy: 0.93, eval_loss: 0.21 } };
/** As SageMaker Model Monitor's model quality report has it. */
const SAGEMAKER = {
  'evaluation/metrics.json': {
    binary_classification_metrics: {
      auc: { value: 0.9, standard_deviation: 0.01 },
      accuracy: { value: 0.8, standard_deviation: 'NaN' },
    },
  },
};
const CARD = `---
license: apache-2.0
model-index:
- name: distilbert
  results:
  - task: {type: text-classification}
    dataset: {name: sst2, type: glue, split: validation}
    metrics:
    - {type: accuracy, value: 0.911, name: Accuracy, verified: false}
    - {type: f1, value: "0.905"}
---
# A card
`;
const TFMA = {
  'evaluation/tfma.json': [
    {
      sliceKey: {},
      metricKeysAndValues: [
        {
          key: { name: 'auc' },
          value: { boundedValue: { value: { value: 0.88 }, lowerBound: 0.86, upperBound: 0.9 } },
        },
        { key: { name: 'example_count' }, value: { doubleValue: 5000 } },
      ],
    },
    {
      sliceKey: { singleSliceKeys: [{ column: 'hour', int64Value: '7' }] },
      metricKeysAndValues: [{ key: { name: 'auc' }, value: { doubleValue: { value: 0.7 } } }],
    },
  ],
};
const VALIDATION = {
  'evaluation/validation.json': {
    metricValidationsPerSlice: [
      {
        sliceKey: {},
        failures: [{ metricKey: { name: 'recall' }, metricValue: { doubleValue: { value: 0.4 } }, message: 'x' }],
      },
    ],
  },
};

describe('what the training reports', () => {
  it.each<[string, Omit<Gate, 'name'>, Readonly<Record<string, string | object>>, object]>([
    [
      'flat metrics.json',
      { reported: 'accuracy', min: '0.9' },
      FLAT,
      { verdict: 'Pass', value: 0.93, low: 0.93, high: 0.93 },
    ],
    ['names in another spelling', { reported: 'evalLoss', max: '0.2' }, FLAT, { verdict: 'Fail', value: 0.21 }],
    [
      'SageMaker by its deviation',
      { reported: 'auc', min: '0.89' },
      SAGEMAKER,
      { verdict: 'NeedMore', value: 0.9, low: 0.8804 },
    ],
    [
      'SageMaker without a deviation',
      { reported: 'binary_classification_metrics.accuracy', min: '0.8' },
      SAGEMAKER,
      { verdict: 'Pass', low: 0.8 },
    ],
    [
      'a Hugging Face card',
      { reported: 'accuracy', min: '0.9' },
      { 'README.md': CARD },
      { verdict: 'Pass', value: 0.911 },
    ],
    [
      'a number that a card has as text',
      { reported: 'f1', min: '0.91' },
      { 'evaluation/README.md': CARD },
      { verdict: 'Fail', value: 0.905 },
    ],
    [
      'model-index.json',
      { reported: 'wer', max: '0.2' },
      {
        'model-index.json': { 'model-index': [{ name: 'x', results: [{ metrics: [{ type: 'wer', value: 0.12 }] }] }] },
      },
      { verdict: 'Pass', value: 0.12 },
    ],
    [
      'TFMA by its own interval',
      { reported: 'auc', min: '0.85' },
      TFMA,
      { verdict: 'Pass', value: 0.88, low: 0.86, high: 0.9 },
    ],
    ['a ValidationResult of TFMA', { reported: 'validationOk', min: '1' }, VALIDATION, { verdict: 'Fail', value: 0 }],
    [
      'what a ValidationResult found wanting',
      { reported: 'recall', min: '0.5' },
      VALIDATION,
      { verdict: 'Fail', value: 0.4 },
    ],
  ])('is read from %s', async (_what, gate, files, wanted) => {
    const { low, ...rest } = wanted as { readonly low?: number };
    const result = await judge(gate, files);
    expect(result).toMatchObject(rest);
    if (low !== undefined) expect(result.low).toBeCloseTo(low, 4);
  });

  it('is marked as such', async () => {
    expect((await judge({ reported: 'accuracy', min: '0.9' }, FLAT)).message).toBe(
      'accuracy 0.9300 is at least 0.9 (evaluation/metrics.json: reported by the training, not computed)',
    );
  });

  it('that it does not report is refused, naming what it does', async () => {
    await expect(judge({ reported: 'bleu', min: '0.9' }, FLAT)).rejects.toThrow(
      'Gate g: the training reports no "bleu"; it reports accuracy, eval_loss.',
    );
    await expect(judge({ reported: 'bleu', min: '0.9' }, {})).rejects.toThrow(
      'it reports none: write evaluation/metrics.json',
    );
  });

  it('in two places with two values is refused, naming both', async () => {
    await expect(judge({ reported: 'accuracy', min: '0.9' }, { ...FLAT, 'README.md': CARD })).rejects.toThrow(
      '"accuracy" could be accuracy (0.93, evaluation/metrics.json) or accuracy on sst2 validation (0.911, README.md); write its whole name.',
    );
  });

  it.each([
    ['not JSON', '{'],
    ['a list of nothing', '[]'],
    ['null', 'null'],
    ['deeper than anybody nests', `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`],
  ])('in a file that is %s is nothing, and no error', async (_what, text) => {
    expect(
      await readReported(await artifactOf({ 'evaluation/metrics.json': text, 'README.md': '---\n[: bad\n---\n' })),
    ).toEqual([]);
  });
});

describe('the size', () => {
  it.each([
    ['500', 499, 'Pass'],
    ['500', 501, 'Fail'],
    ['1Ki', 1024, 'Pass'],
    ['1k', 1024, 'Fail'],
    ['1.5Mi', 1_572_864, 'Pass'],
    ['2Gi', 2 ** 31 + 1, 'Fail'],
  ])('at most %s of %i bytes: %s', async (maxBytes, bytes, verdict) => {
    const { result } = await judgeOne({ name: 'size', maxBytes }, [], { bytes, files: 3 });
    expect(result).toMatchObject({ verdict, value: bytes, n: 3 });
  });
});
