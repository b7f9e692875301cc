import type { Tensor } from '@slipway/crds/contract';
import { expect, test } from 'vitest';
import { chainSignature, type Link, MODEL_LINK } from './chain.ts';

const tensor = (text: string): Tensor => {
  const [name = '', datatype = '', ...shape] = text.split(' ');
  return { name, datatype: datatype as Tensor['datatype'], shape: shape.map(Number) };
};
const link = (file: string, inputs: readonly string[], outputs: readonly string[]): Link => ({
  file,
  signature: { inputs: inputs.map(tensor), outputs: outputs.map(tensor) },
});
const names = (tensors: readonly Tensor[]) => tensors.map(({ name }) => name);

const before = link('preprocess.onnx', ['raw FP32 -1 4'], ['x FP32 -1 4']);
const model = link(MODEL_LINK, ['x FP32 -1 4', 'code INT64 -1'], ['logits FP32 -1 3', 'embedding FP32 -1 8']);
const after = link('postprocess.onnx', ['logits FP32 -1 -1'], ['scores FP32 -1 3']);

test('callers send what no part makes and get what no part takes', () => {
  const { inputs, outputs } = chainSignature([before, model, after]);
  expect([names(inputs), names(outputs)]).toEqual([
    ['raw', 'code'],
    ['embedding', 'scores'],
  ]);
});

test('a part may answer a tensor anew under the same name', () => {
  const scaling = link('preprocess.onnx', ['x FP32 -1 4'], ['x FP32 -1 4']);
  const clipping = link('postprocess.onnx', ['logits FP32 -1 3'], ['logits FP32 -1 3']);
  const { inputs, outputs } = chainSignature([scaling, model, clipping]);
  expect([names(inputs), names(outputs)]).toEqual([
    ['x', 'code'],
    ['embedding', 'logits'],
  ]);
});

test('what comes after the model may look at what callers sent', () => {
  const looking = link('postprocess.onnx', ['logits FP32 -1 3', 'code INT64 -1'], ['scores FP32 -1 3']);
  expect(names(chainSignature([before, model, looking]).outputs)).toEqual(['embedding', 'scores']);
});

test.each<[string, readonly Link[], string]>([
  [
    'another datatype',
    [link('preprocess.onnx', [], ['x FP64 -1 4']), model],
    'model.onnx takes "x" as FP32[-1,4], preprocess.onnx answers it as FP64[-1,4].',
  ],
  [
    'another width',
    [link('preprocess.onnx', [], ['x FP32 -1 5']), model],
    'model.onnx takes "x" as FP32[-1,4], preprocess.onnx answers it as FP32[-1,5].',
  ],
  [
    'an answer that nobody takes',
    [link('preprocess.onnx', ['raw FP32 -1 4'], ['x FP32 -1 4', 'y FP32 -1']), model],
    'preprocess.onnx answers "y", which model.onnx does not take.',
  ],
  [
    'a tensor that comes from nowhere',
    [model, link('postprocess.onnx', ['logit FP32 -1 3'], ['scores FP32 -1 3'])],
    'postprocess.onnx takes "logit", which model.onnx does not answer and callers do not send.',
  ],
])('%s is refused', (_what, links, sentence) => {
  expect(() => chainSignature(links)).toThrow(sentence);
});
