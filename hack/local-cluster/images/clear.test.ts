import { expect, test } from 'vitest';
import { outdatedNames, type StoredImage } from './clear.ts';

const NOW = 1_800_000_000;
const DAY_S = 24 * 3600;
const image = (age: number, ...names: string[]): StoredImage => ({ id: 'x', names, created: NOW - age });
const CURRENT = 'slipway.dev/operator:image-00000000000000aa';
const FORMER = 'slipway.dev/operator:image-00000000000000bb';

const cases: Record<string, { images: StoredImage[]; goes: string[] }> = {
  'a former name goes after a day': { images: [image(2 * DAY_S, FORMER)], goes: [FORMER] },
  'a former name stays for a day, for whoever switches back': { images: [image(DAY_S / 2, FORMER)], goes: [] },
  'the current name stays however old': { images: [image(9 * DAY_S, CURRENT)], goes: [] },
  'an old image that both names share loses the former': {
    images: [image(2 * DAY_S, CURRENT, FORMER)],
    goes: [FORMER],
  },
  'a former base image goes': {
    images: [image(2 * DAY_S, 'slipway.dev/node-npm:00000000000000cc')],
    goes: ['slipway.dev/node-npm:00000000000000cc'],
  },
  'names that are not made from content stay': {
    images: [image(9 * DAY_S, 'slipway.dev/operator:dev', 'slipway.dev/envoy:local', 'example.com/x:0123456789abcdef')],
    goes: [],
  },
  'an intermediate image has no name to remove': { images: [{ id: 'x', names: null, created: 0 }], goes: [] },
};

test.each(Object.entries(cases))('%s', (_name, { images, goes }) => {
  expect(outdatedNames(images, [CURRENT], NOW)).toEqual(goes);
});
