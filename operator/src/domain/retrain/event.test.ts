import { expect, test } from 'vitest';
import { askedBy, askingEvent, type SentEvent } from './event.ts';

const event = (id: string, source = '//warehouse/flights'): SentEvent => ({
  id,
  source,
  type: 'com.example.partition.ready',
  by: 'system:serviceaccount:ml:ingest',
});

test('an event asks once, however often and whenever it is sent again', () => {
  const first = askedBy(event('1'), undefined);
  const second = askedBy(event('2'), first);
  expect(askingEvent(second)).toMatchObject({ id: '2', source: '//warehouse/flights' });
  for (const id of ['1', '2']) expect(askedBy(event(id), second)).toBeUndefined();
});

test('an id is one of its source: the same id of another source is another event', () => {
  expect(askedBy(event('1', '//elsewhere'), askedBy(event('1'), undefined))).toBeDefined();
  expect(askedBy(event('b', 'a'), askedBy(event('', 'ab'), undefined))).toBeDefined();
});

test('a flood of events does not let the annotation grow without end', () => {
  let annotation: string | undefined;
  for (let i = 0; i < 500; i++) annotation = askedBy(event(String(i)), annotation);
  expect(annotation?.length).toBeLessThan(4096);
  expect(askedBy(event('499'), annotation)).toBeUndefined();
  expect(askedBy(event('440'), annotation)).toBeUndefined();
});

test.each(['', 'monday', '[]', '{"key":""}', '{"key":1}'])(
  'what anybody may have annotated asks for nothing: %j',
  (text) => {
    expect(askingEvent(text)).toBeUndefined();
  },
);
