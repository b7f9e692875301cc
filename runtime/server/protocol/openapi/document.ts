import type { ServedModel } from '../../models/servedModel.ts';
import { modelPaths } from './modelPaths.ts';
import { ERROR, jsonBody } from './schemas.ts';

/** Body of GET /openapi.json: OpenAPI 3.1 of this server with the models it serves now, each with its own schema and example. */
export function openApiDocument(models: readonly ServedModel[], version: string): object {
  const server = {
    '/v2': get('Name, version and extensions of the server', { type: 'object' }),
    '/v2/health/live': get('Whether the process lives', HEALTH),
    '/v2/health/ready': get('Whether requests would be answered; 503 where not', HEALTH),
    '/v2/models/stats': get('Statistics of all models', { type: 'object' }),
    '/v1/models': get('Names of the models', { type: 'object' }),
  };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Slipway model server',
      version,
      description: 'Open Inference Protocol, the V1 protocol, and rows by feature name.',
    },
    paths: Object.assign(server, ...models.map(modelPaths)),
    components: { schemas: { Error: ERROR } },
  };
}

const HEALTH = { type: 'object', properties: { live: { type: 'boolean' }, ready: { type: 'boolean' } } };

const get = (summary: string, schema: object) => ({
  get: { summary, responses: { 200: jsonBody('The answer', schema) } },
});
