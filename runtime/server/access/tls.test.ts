import { expect, test } from 'vitest';
import { Certificate } from './tls.ts';

test.each([
  ['neither', '', ''],
  ['no certificate', '', 'key'],
  ['no key', 'certificate', ''],
])('%s is no pair: a file that is empty while it is rewritten leaves the old one in use', (_, cert, key) => {
  expect(() => new Certificate().replace({ cert, key })).toThrow(
    'The TLS certificate or its key is empty; both files need PEM.',
  );
});
