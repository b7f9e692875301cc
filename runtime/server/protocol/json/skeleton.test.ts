import { expect, test } from 'vitest';
import { skeletonOf } from './skeleton.ts';

const cut = (text: string) => {
  const bytes = Buffer.from(text);
  const skeleton = skeletonOf(bytes, bytes.length);
  return skeleton && { ...skeleton, lists: skeleton.starts.map((start, k) => text.slice(start, skeleton.stops[k])) };
};

test.each<[string, string, string, string[]]>([
  ['a flat list', '{"data":[1,2],"a":3}', '{"data":[0],"a":3}', ['[1,2]']],
  ['a nested list', '{"data" : [ [1, 2] ,[-3 ]]}', '{"data" : [0]}', ['[ [1, 2] ,[-3 ]]']],
  ['two lists', '[{"data":[1]},{"data":[true]}]', '[{"data":[0]},{"data":[1]}]', ['[1]', '[true]']],
  ['a list that is wrong inside', '{"data":[1 x "y"]}', '{"data":[0]}', ['[1 x "y"]']],
  ['no list', '{"a":"data","b":[1]}', '{"a":"data","b":[1]}', []],
])('%s is cut out', (_, text, skeleton, lists) => {
  expect(cut(text)).toMatchObject({ text: skeleton, lists });
});

test('ids are cut out and kept', () => {
  expect(cut('{"id":"a","p":{"id": "b"},"x":"id","id":5}')).toMatchObject({
    text: '{"id":"0","p":{"id": "1"},"x":"id","id":5}',
    ids: ['a', 'b'],
  });
});

test.each([
  ['a list of texts', '{"data":["a"]}'],
  ['an empty list', '{"data":[]}'],
  ['data that is no list', '{"data":0}'],
  ['a list that never ends', '{"data":[1,2'],
  ['a list with the wrong brackets', '{"data":[[1],2]}'],
  ['an escape', '{"\\u0064ata":[1]}'],
  ['an escape in an id', '{"id":"\\n"}'],
  ['a byte beyond ASCII', '{"é":1}'],
  ['a text that never ends', '{"abc'],
  ['more pieces than any request has', JSON.stringify(Array.from({ length: 300 }, () => ({ data: [1] })))],
])('%s leaves the text to be read whole', (_, text) => {
  expect(cut(text)).toBeUndefined();
});

test('nothing behind the end of the text is looked at', () => {
  const bytes = Buffer.from('{"data":[1,2]}');
  expect(skeletonOf(bytes, 10)).toBeUndefined();
});
