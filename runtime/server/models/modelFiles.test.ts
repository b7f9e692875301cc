import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../test/temporaryFolder.ts';
import { checkLabels } from './labels.ts';
import { readModelFiles } from './modelFiles.ts';

async function directoryOf(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder('model');
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content);
  }
  return root;
}

test('a model alone speaks for itself', async () => {
  const directory = await directoryOf({ 'model.onnx': '' });
  expect(await readModelFiles(directory)).toEqual({ path: join(directory, 'model.onnx'), golden: [] });
});

test('everything that may stand beside a model is read', async () => {
  const tensor = { name: 'x', datatype: 'FP32', shape: [1] };
  const signature = { inputs: [tensor], outputs: [tensor] };
  const golden = { inputs: [{ ...tensor, data: [1] }], outputs: [] };
  const directory = await directoryOf({
    'model.onnx': '',
    'preprocess.onnx': '',
    'postprocess.onnx': '',
    'tokenizer.json': '{"model": {}}',
    'tokenizer_config.json': '{"model_max_length": 128}',
    'signature.json': JSON.stringify(signature),
    'labels.txt': 'on time\r\nlate\n\n',
    'golden.jsonl': `${JSON.stringify(golden)}\n\n`,
  });
  expect(await readModelFiles(directory)).toEqual({
    path: join(directory, 'model.onnx'),
    preprocess: join(directory, 'preprocess.onnx'),
    postprocess: join(directory, 'postprocess.onnx'),
    tokenizer: { vocabulary: { model: {} }, config: { model_max_length: 128 } },
    signature,
    labels: ['on time', 'late'],
    golden: [{ ...golden, tolerance: 1e-4 }],
  });
});

const NO_MODEL = /^The artifact has no model\.onnx\.$/;
test.each<[string, Record<string, string>, RegExp]>([
  ['no model', { 'card.md': '#' }, NO_MODEL],
  ['a folder for a model', { 'model.onnx/x': '' }, NO_MODEL],
  [
    'a signature that is none',
    { 'signature.json': '{"inputs": []}' },
    /^signature\.json is not a signature: outputs: /,
  ],
  ['a signature that is a folder', { 'signature.json/x': '' }, /^signature\.json cannot be read: it is a folder\.$/],
  ['a tokenizer that is no object', { 'tokenizer.json': '[]' }, /^tokenizer\.json is not a JSON object\.$/],
  [
    'a gap in the labels',
    { 'labels.txt': 'a\n\nb' },
    /^Line 2 of labels\.txt is empty; write one class name a line\.$/,
  ],
  ['no label at all', { 'labels.txt': '\n' }, /^Line 1 of labels\.txt is empty;/],
  [
    'a signature cut off',
    { 'signature.json': '{"inputs"' },
    /^signature\.json is not JSON, or was cut off; write it again\.$/,
  ],
  ['a golden line cut off', { 'golden.jsonl': '{"inputs"' }, /^Line 1 of golden\.jsonl is not JSON, or was cut off; /],
  ['a golden line that is none', { 'golden.jsonl': '{}\n' }, /^Line 1 of golden\.jsonl is not a golden request: /],
])('%s is refused in a sentence', async (_what, files, sentence) => {
  const model: Record<string, string> = sentence === NO_MODEL ? {} : { 'model.onnx': '' };
  await expect(readModelFiles(await directoryOf({ ...model, ...files }))).rejects.toThrow(sentence);
});

test.each<[string, number[][], string | undefined]>([
  ['an output of as many entries', [[-1], [-1, 3]], undefined],
  ['an output of open width', [[-1, -1]], undefined],
  ['an output that gives the number of a class', [[-1], [-1, 1]], undefined],
  [
    'outputs of other widths',
    [[-1, 5], [-1]],
    'labels.txt names 3 classes, and no output has as many entries: "o0" is FP32[-1,5].',
  ],
])('labels fit %s or are refused', (_what, shapes, sentence) => {
  const outputs = shapes.map((shape, i) => ({ name: `o${i}`, datatype: 'FP32' as const, shape }));
  const check = () => checkLabels(['a', 'b', 'c'], outputs);
  if (sentence) expect(check).toThrow(sentence);
  else expect(check).not.toThrow();
});
