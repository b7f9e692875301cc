import { expect, test } from 'vitest';
import { routeOf } from './routes.ts';

const model = { name: 'flights', version: '1.4.0', digest: 'sha256:00' };

test.each([
  ['GET', '/v2', 'serverMetadata'],
  ['GET', '/v2/', 'serverMetadata'],
  ['GET', '/v2/health/live', 'serverLive'],
  ['GET', '/v2/health/ready?verbose=1', 'serverReady'],
  ['GET', '/v2/models/flights', 'modelMetadata'],
  ['GET', '/v2/models/flights/versions/1.4.0/ready', 'modelReady'],
  ['POST', '/v2/models/flights/infer', 'infer'],
  ['POST', '/v2/models/%66lights/versions/1.4.0/infer', 'infer'],
])('%s %s is %s', (method, target, name) => {
  expect(routeOf(method, target, model)).toEqual({ name });
});

test.each([
  ['POST', '/v2/models/cars/infer', 404, 'There is no model "cars" here; this server has "flights".'],
  ['GET', '/v2/models/%zz', 404, 'There is no model "%zz" here; this server has "flights".'],
  [
    'POST',
    '/v2/models/flights/versions/2/infer',
    404,
    'There is no version "2" of "flights" here; this server has "1.4.0".',
  ],
  ['GET', '/v2/models/flights/infer', 405, 'Use POST here, not GET.'],
  ['DELETE', '/v2/models/flights', 405, 'Use GET here, not DELETE.'],
])('%s %s is refused with %i', (method, target, status, sentence) => {
  expect(routeOf(method, target, model)?.fault).toMatchObject({ status, message: sentence });
});

test.each(['/', '/v1/models/flights', '/v2/models', '/v2/models/flights/explain', '/v2/constructor', '/v2x'])(
  'there is nothing at %s',
  (target) => {
    expect(routeOf('GET', target, model)).toBeUndefined();
  },
);
