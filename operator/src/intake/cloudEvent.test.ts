import { expect, test } from 'vitest';
import { cloudEventOf } from './cloudEvent.ts';

const NAMED = { id: '42', source: '//warehouse/flights', type: 'com.example.partition.ready' };
const structured = { 'content-type': 'application/cloudevents+json; charset=utf-8' };
const binary = (more: object = {}) => ({
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': NAMED.id,
  'ce-source': NAMED.source,
  'ce-type': NAMED.type,
  ...more,
});
const json = (more: object = {}) => JSON.stringify({ specversion: '1.0', ...NAMED, data: { rows: 7 }, ...more });

test('an event is read in structured and in binary mode', () => {
  expect(cloudEventOf(structured, json())).toEqual(NAMED);
  expect(cloudEventOf(binary(), '{"rows":7}')).toEqual(NAMED);
});

test('headers are percent-decoded where they hold more than ASCII, and taken as they are where that fails', () => {
  expect(cloudEventOf(binary({ 'ce-source': '//z%C3%BCrich' }), '').source).toBe('//zürich');
  expect(cloudEventOf(binary({ 'ce-id': '100%' }), '').id).toBe('100%');
});

test.each<[string, Record<string, string>, string, number, RegExp]>([
  ['no event at all', { 'content-type': 'application/json' }, '{}', 415, /application\/cloudevents\+json, or .*ce-id/],
  ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', 415, /one event a request/],
  ['no JSON', structured, '{', 400, /not one CloudEvent in JSON/],
  ['a list', structured, '[]', 400, /not one CloudEvent in JSON/],
  ['another version', structured, json({ specversion: '0.3' }), 400, /specversion 0.3: only 1.0/],
  ['no id', structured, json({ id: undefined }), 400, /needs id/],
  ['an id that is a number', structured, json({ id: 7 }), 400, /needs id: a text/],
  ['an empty source', binary({ 'ce-source': '' }), '', 400, /needs source/],
  ['a type without end', structured, json({ type: 'x'.repeat(257) }), 400, /1 to 256 characters/],
])('%s is refused with what to send instead', (_name, headers, body, status, message) => {
  expect(() => cloudEventOf(headers, body)).toThrow(
    expect.objectContaining({ status, message: expect.stringMatching(message) }),
  );
});
