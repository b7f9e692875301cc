import { describe, expect, test } from 'vitest';
import { parseSettings, refuseStrangers } from './settings.ts';

const parse = (document: unknown) => parseSettings(JSON.stringify(document), 'SLIPWAY_SETTINGS');

test('no settings are the defaults, for every model', () => {
  const { serving, of } = parseSettings(undefined, 'SLIPWAY_SETTINGS');
  expect(serving.batching.maxSize).toBe(32);
  expect(of('any').batching.maxSize).toBe(32);
});

test('settings of one model are laid over the general ones, field by field', () => {
  const { of } = parse({
    batching: { maxSize: 8, preferredSizes: [4, 8] },
    nonFinite: 'Null',
    models: { text: { batching: { maxDelayMs: 2, preferredSizes: [2] }, truncateText: true } },
  });
  expect(of('text').batching).toMatchObject({ maxSize: 8, maxDelayMs: 2, preferredSizes: [2] });
  expect(of('text')).toMatchObject({ nonFinite: 'Null', truncateText: true });
  expect(of('other')).toMatchObject({ truncateText: false, batching: { preferredSizes: [4, 8], maxDelayMs: 0 } });
});

describe('a wrong document is refused with the field and what it takes', () => {
  test.each([
    ['not JSON', '{', /^SLIPWAY_SETTINGS must be a JSON object with serving settings\.$/],
    ['no object', '[]', /^SLIPWAY_SETTINGS: Invalid input: expected object/],
    ['a value out of range', '{"batching": {"maxSize": 0}}', /^SLIPWAY_SETTINGS: batching\.maxSize: .*>=1\.$/],
    ['an unknown choice', '{"nonFinite": "Zero"}', /^SLIPWAY_SETTINGS: nonFinite: .*"Error"\|"Null"\|"String"/],
    ['an unknown field', '{"batching": {"size": 3}}', /^SLIPWAY_SETTINGS: batching: .*"size"; it takes maxSize, /],
    ['an unknown part', '{"batch": {}}', /^SLIPWAY_SETTINGS: Unrecognized key: "batch"; it takes engine, batching, /],
    [
      'an unknown field of one model',
      '{"models": {"m": {"engine": {"x": 1}}}}',
      /^SLIPWAY_SETTINGS: models\.m\.engine: .*"x"; it takes backend, /,
    ],
    ['a model whose settings are no object', '{"models": {"m": 3}}', /^SLIPWAY_SETTINGS: models\.m: /],
    ['what only the whole server has, for one model', '{"models": {"m": {"limits": {}}}}', /models\.m: .*"limits"/],
  ])('%s', (_what, text, sentence) => {
    expect(() => parseSettings(text, 'SLIPWAY_SETTINGS')).toThrow(sentence);
  });
});

test('settings for a model that is not there are refused', () => {
  const settings = parse({ models: { fligths: {} } });
  expect(() => refuseStrangers(settings, ['flights'])).toThrow(
    'The settings name the model "fligths", which is not here; here is "flights".',
  );
  refuseStrangers(settings, ['fligths', 'other']);
});
