import { describe, expect, test } from 'vitest';
import { Router, routeOf } from './routes.ts';

const found = (target: string) => {
  const route = routeOf(target);
  return route && [route.name, route.method, route.model, route.version];
};

test.each([
  ['/', 'alive', 'GET'],
  ['/v2', 'serverMetadata', 'GET'],
  ['/v2/', 'serverMetadata', 'GET'],
  ['/v2?x=1', 'serverMetadata', 'GET'],
  ['http://host:8080/v2', 'serverMetadata', 'GET'],
  ['http://host', 'alive', 'GET'],
  ['/v2/health/live', 'serverLive', 'GET'],
  ['/v2/health/ready/', 'serverReady', 'GET'],
  ['/v2/models', 'modelList', 'GET'],
  ['/v2/models/stats', 'statistics', 'GET'],
  ['/v2/repository/index', 'repositoryIndex', 'POST'],
  ['/v1/models', 'v1List', 'GET'],
  ['/openapi.json', 'openApi', 'GET'],
  ['/slipway/v1/feedback', 'feedback', 'POST'],
])('%s is %s by %s', (target, name, method) => {
  expect(found(target)).toEqual([name, method, '', undefined]);
});

test.each([
  ['/v2/models/m', 'modelMetadata', 'GET', 'm', undefined],
  ['/v2/models/m/', 'modelMetadata', 'GET', 'm', undefined],
  ['/v2/models/m/versions/v10', 'modelMetadata', 'GET', 'm', 'v10'],
  ['/v2/models/m/ready', 'modelReady', 'GET', 'm', undefined],
  ['/v2/models/m/versions/1/ready', 'modelReady', 'GET', 'm', '1'],
  ['/v2/models/m/config', 'modelConfig', 'GET', 'm', undefined],
  ['/v2/models/m/versions/1/stats', 'modelStatistics', 'GET', 'm', '1'],
  ['/v2/models/m/infer', 'infer', 'POST', 'm', undefined],
  ['/v2/models/m/infer?a/b', 'infer', 'POST', 'm', undefined],
  ['/v2/models/my%20model/versions/a%2Fb/infer', 'infer', 'POST', 'my model', 'a/b'],
  ['/v2/models/..%2f..%2fetc/infer', 'infer', 'POST', '../../etc', undefined],
  ['/v2/models/%zz/infer', 'infer', 'POST', '%zz', undefined],
  ['/v2/repository/models/m/load', 'repositoryLoad', 'POST', 'm', undefined],
  ['/v2/repository/models/m/unload', 'repositoryUnload', 'POST', 'm', undefined],
  ['/v1/models/m', 'v1Ready', 'GET', 'm', undefined],
  ['/v1/models/m:predict', 'predict', 'POST', 'm', undefined],
  ['/v1/models/m%3Apredict', 'predict', 'POST', 'm', undefined],
  ['/v1/models/m/versions/3:predict', 'predict', 'POST', 'm', '3'],
])('%s is %s by %s of %o, version %o', (target, name, method, model, version) => {
  expect(found(target)).toEqual([name, method, model, version]);
});

test.each([
  '/v3',
  '/v2x',
  '//v2',
  '/v2//',
  '/v2/models//infer',
  '/v2/models/m/infer/more',
  '/v2/models/m/versions',
  '/v2/models/m/versions/',
  '/v2/models/m/versions//infer',
  '/v2/models/m/versions/1/infer/more',
  '/v2/models/../v2',
  '/v2/models/m/versions/1/versions/2/infer',
  '/v2/repository/models/m',
  '/v2/repository/models/m/load/more',
  '/v1/models/:predict',
  '/v1/models/m/infer',
  '/v1/models/m:explain',
  '/v1/models/m/versions/3%3Aexplain',
  '/v1/models/m/versions/:predict',
  '/V2/health/live',
  '/constructor',
  '*',
  'http:/v2',
])('%s is no path', (target) => {
  expect(found(target)).toBeUndefined();
});

describe('a router', () => {
  test('answers the same again, and for more targets than it remembers', () => {
    const router = new Router();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 1000; i++) {
        expect(router.routeOf(`/v2/models/m${i}/infer`)).toEqual(routeOf(`/v2/models/m${i}/infer`));
      }
    }
    expect(router.routeOf('/nowhere')).toBeUndefined();
  });
});
