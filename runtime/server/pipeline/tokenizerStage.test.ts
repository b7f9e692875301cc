import type { Tensor } from '@slipway/crds/contract';
import { describe, expect, test } from 'vitest';
import { vocabulary } from '../../test/tokenizer.ts';
import type { TensorValue } from '../tensor.ts';
import { tokenizerStage } from './tokenizerStage.ts';

const tokens = (name: string, shape: number[] = [-1, -1], datatype: Tensor['datatype'] = 'INT64'): Tensor => ({
  name,
  datatype,
  shape,
});
const ALL = [tokens('input_ids'), tokens('attention_mask'), tokens('token_type_ids')];
const texts = (...elements: string[]): TensorValue => ({
  name: 'text',
  datatype: 'BYTES',
  shape: [elements.length],
  elements,
});

interface Given {
  readonly inputs?: readonly Tensor[];
  readonly members?: object;
  readonly config?: object;
  readonly truncate?: boolean;
}
const stageOf = ({ inputs = ALL, members = {}, config = {}, truncate = false }: Given) =>
  tokenizerStage({ vocabulary: { ...vocabulary, ...members }, config }, inputs, truncate);

const encode = async (given: Given, ...elements: string[]) => {
  const stage = stageOf(given);
  const outputs = stage.signature.outputs.map(({ name }) => name);
  return (await stage.run([texts(...elements)], outputs)).map(({ name, shape, elements: ids }) => [
    name,
    shape,
    Array.from(ids as ArrayLike<number | bigint>, Number),
  ]);
};

test('texts become the tensors that the model has, padded to the longest of the run', async () => {
  expect(await encode({}, 'Good film', 'badly')).toEqual([
    ['input_ids', [2, 4], [2, 4, 7, 3, 2, 5, 6, 3]],
    ['attention_mask', [2, 4], [1, 1, 1, 1, 1, 1, 1, 1]],
    ['token_type_ids', [2, 4], [0, 0, 0, 0, 0, 0, 0, 0]],
  ]);
  expect((await encode({}, 'good', 'good film, badly'))[1]).toEqual([
    'attention_mask',
    [2, 7],
    [1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1],
  ]);
});

test('a word that is not in the vocabulary is the unknown token, and no text is only special ones', async () => {
  expect(await encode({ inputs: [tokens('input_ids')] }, 'zzz', '')).toEqual([
    ['input_ids', [2, 3], [2, 1, 3, 2, 3, 0]],
  ]);
});

test('callers send one text a row, and the model may take 32-bit numbers of a fixed length', async () => {
  const inputs = [tokens('input_ids', [1, 5], 'INT32')];
  expect(stageOf({ inputs }).signature).toEqual({
    inputs: [{ name: 'text', datatype: 'BYTES', shape: [1] }],
    outputs: inputs,
  });
  expect(await encode({ inputs }, 'good')).toEqual([['input_ids', [1, 5], [2, 4, 3, 0, 0]]]);
});

test.each([
  ['tokenizer.json', { padding: { pad_id: 9, direction: 'Left' } }, {}],
  [
    'tokenizer_config.json',
    { added_tokens: [...vocabulary.added_tokens, { id: 9, content: '<p>', special: true }] },
    { pad_token: '<p>', padding_side: 'left' },
  ],
])('padding stands where %s says', async (_where, members, config) => {
  const [ids, mask] = await encode({ members, config }, 'good', 'good film');
  expect([ids?.[2], mask?.[2]]).toEqual([
    [9, 2, 4, 3, 2, 4, 7, 3],
    [0, 1, 1, 1, 1, 1, 1, 1],
  ]);
});

describe('a text that is too long', () => {
  test.each<[string, Given]>([
    ['the truncation of tokenizer.json', { members: { truncation: { max_length: 4 } } }],
    ['tokenizer_config.json', { config: { model_max_length: 4 } }],
    ['the model itself', { inputs: [tokens('input_ids', [-1, 4])] }],
  ])('for %s is refused before it waits for anything', (_what, given) => {
    expect(() => stageOf(given).check?.([texts('good', 'good film bad')])).toThrow(
      'Text 2 of "text" has 5 tokens and the model takes 4; send less of it.',
    );
  });

  test('is cut where that is asked for, and keeps the special tokens around it', async () => {
    const given = { members: { truncation: { max_length: 4 } }, truncate: true, inputs: [tokens('input_ids')] };
    expect(await encode(given, 'good film bad bad')).toEqual([['input_ids', [1, 4], [2, 4, 7, 3]]]);
  });

  test('by far is refused by its characters alone', () => {
    const stage = stageOf({ config: { model_max_length: 4 } });
    expect(() => stage.check?.([texts('x'.repeat(1e6))])).toThrow(
      /has 1000000 characters and the model takes about 4 tok/,
    );
  });

  test('is fine where nobody named a limit', () => {
    stageOf({ config: { model_max_length: 1e30 } }).check?.([texts('good '.repeat(1000))]);
  });
});

describe('a tokenizer that does not fit is refused', () => {
  test.each<[string, Given, RegExp]>([
    [
      'to a model without ids',
      { inputs: [tokens('x')] },
      /makes "input_ids", which the model does not take; it takes "x"\.$/,
    ],
    ['to ids of another kind', { inputs: [tokens('input_ids', [-1, -1], 'FP32')] }, /"input_ids" as FP32\[-1,-1\]\.$/],
    ['because its parts are unknown', { members: { model: { type: 'Other' } } }, /^tokenizer\.json cannot be used: /],
    ['because it is not one', { members: { pre_tokenizer: { type: 'X' } } }, /Unknown PreTokenizer type: X\.$/],
  ])('%s', (_what, given, sentence) => {
    expect(() => stageOf(given)).toThrow(sentence);
  });
});
