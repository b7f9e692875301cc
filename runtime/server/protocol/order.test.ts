import { expect, test } from 'vitest';
import { protocolModel, tensor } from '../../test/protocolModel.ts';
import { orderOf, type Parameters, type RequestHeaders } from './order.ts';

const model = protocolModel({
  inputs: [tensor('x', 'FP32', [-1])],
  outputs: [tensor('y', 'FP32', [-1]), tensor('z', 'FP32', [-1])],
});

test('all outputs are answered when none is named, and always by the same list', () => {
  const { outputs } = orderOf(undefined, undefined, model, 0);
  expect(outputs).toEqual(['y', 'z']);
  expect(orderOf({}, [], model, 0).outputs).toBe(outputs);
});

test('outputs come in the order asked for', () => {
  expect(orderOf(undefined, ['z', 'y'], model, 0).outputs).toEqual(['z', 'y']);
});

test.each<[string, Parameters, RequestHeaders | undefined, number | undefined, number | undefined]>([
  ['the parameter is in microseconds', { timeout: 2500 }, undefined, 102.5, 0],
  ['0 is no timeout', { timeout: 0 }, undefined, Number.POSITIVE_INFINITY, 0],
  ['a 64-bit integer will do', { timeout: 5000n }, undefined, 105, 0],
  ['digits will do', { timeout: '5000' }, undefined, 105, 0],
  ['the header is in milliseconds', {}, { 'slipway-timeout-ms': '7.5' }, 107.5, 0],
  ['the shorter of both counts', { timeout: 2000 }, { 'slipway-timeout-ms': '7' }, 102, 0],
  ['no sequence', { sequence_id: 0 }, {}, Number.POSITIVE_INFINITY, 0],
  ['no sequence, of text', { sequence_id: '' }, {}, Number.POSITIVE_INFINITY, 0],
  ['a priority', { priority: 1 }, undefined, Number.POSITIVE_INFINITY, 1],
  ['a priority by header', {}, { 'slipway-priority': '3' }, Number.POSITIVE_INFINITY, 3],
  ['the parameter wins over the header', { priority: 2 }, { 'slipway-priority': '3' }, Number.POSITIVE_INFINITY, 2],
])('%s', (_, parameters, headers, deadline, priority) => {
  const order = orderOf(parameters, undefined, model, 100, headers);
  expect([order.deadline, order.priority]).toEqual([deadline, priority]);
});

test('the server bounds how long a request may take', () => {
  expect(orderOf(undefined, undefined, model, 100, undefined, 50).deadline).toBe(150);
  expect(orderOf({ timeout: 90_000 }, undefined, model, 100, undefined, 50).deadline).toBe(150);
});

test.each<[string, Parameters, readonly string[], RequestHeaders, string]>([
  ['an unknown output', {}, ['q'], {}, 'There is no output "q"; the model gives "y" and "z".'],
  ['an output twice', {}, ['y', 'y'], {}, '"y" stands twice in "outputs".'],
  ['a timeout of text', { timeout: 'soon' }, [], {}, 'Parameter "timeout" must be a whole number of microseconds.'],
  ['a timeout below 0', { timeout: -1 }, [], {}, 'Parameter "timeout" must be a whole number of microseconds.'],
  [
    'a sequence by name',
    { sequence_id: 'a' },
    [],
    {},
    'Sequences are not kept here; send each request with all it needs, and without "sequence_id".',
  ],
  ['half a priority', { priority: 1.5 }, [], {}, 'Parameter "priority" must be a whole number, 1 for the most urgent.'],
  [
    'a header of text',
    {},
    [],
    { 'slipway-timeout-ms': 'soon' },
    'Header slipway-timeout-ms must be a number of milliseconds above 0.',
  ],
  [
    'a header sent twice',
    {},
    [],
    { 'slipway-priority': ['1', '2'] },
    'Header slipway-priority must be a whole number, 1 for the most urgent.',
  ],
])('%s is refused', (_, parameters, outputs, headers, sentence) => {
  expect(() => orderOf(parameters, outputs, model, 0, headers)).toThrow(
    expect.objectContaining({ status: 400, message: sentence }),
  );
});
