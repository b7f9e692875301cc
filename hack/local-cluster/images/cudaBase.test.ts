import { expect, test } from 'vitest';
import { withoutCuda } from './cudaBase.ts';

test('the CUDA image is built on Linux with x64', () => {
  expect(withoutCuda('linux', 'x64')).toBeUndefined();
});

test.each([
  ['linux', 'arm64'],
  ['darwin', 'x64'],
])('on %s with %s the CUDA image is refused with what to build instead', (platform, architecture) => {
  expect(withoutCuda(platform, architecture)).toMatch(
    new RegExp(`for Linux on x64 only.* ${platform} on ${architecture}: .* build "runtime"`),
  );
});
