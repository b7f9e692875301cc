import { expect, test } from 'vitest';
import { leftBehind } from './entry.ts';
import { closed } from './kube/errors.ts';

const told: unknown[] = [];
const listener = leftBehind({ info: (_fields, message) => void told.push(message) });

test.each([
  ['a call that the end of the process cut off', closed()],
  [
    'a client of undici that was destroyed under it',
    Object.assign(new Error('destroyed'), { code: 'UND_ERR_DESTROYED' }),
  ],
])('%s and nobody waits for is told in a sentence', (_what, error) => {
  told.length = 0;
  listener(error);
  expect(told).toEqual(['a call was cut off by the end']);
});

test('any other failure that nobody waits for still ends the process', () => {
  expect(() => listener(new Error('a bug'))).toThrow('a bug');
});
