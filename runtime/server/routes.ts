import type { ModelIdentity } from './config.ts';
import { RequestError } from './requestError.ts';

export type RouteName =
  | 'serverMetadata'
  | 'serverLive'
  | 'serverReady'
  | 'modelMetadata'
  | 'modelReady'
  /** The only route whose answers are counted as evidence. */
  | 'infer';

const METHODS: Readonly<Record<RouteName, 'GET' | 'POST'>> = {
  serverMetadata: 'GET',
  serverLive: 'GET',
  serverReady: 'GET',
  modelMetadata: 'GET',
  modelReady: 'GET',
  infer: 'POST',
};

const SERVER_PATHS: Readonly<Record<string, RouteName>> = {
  v2: 'serverMetadata',
  'v2/health/live': 'serverLive',
  'v2/health/ready': 'serverReady',
};

const MODEL_VERBS: ReadonlyMap<string | undefined, RouteName> = new Map([
  [undefined, 'modelMetadata'],
  ['ready', 'modelReady'],
  ['infer', 'infer'],
]);

export interface Route {
  readonly name: RouteName;
  /** What is wrong with the request before its body is read: unknown model or version (404), wrong method (405). */
  readonly fault?: RequestError;
}

/**
 * Finds the Open Inference Protocol route of a request target. The version segment is optional, one trailing slash is
 * ignored. Undefined: no such path.
 */
export function routeOf(method: string, target: string, model: ModelIdentity): Route | undefined {
  const path = (target.split('?', 1)[0] as string).replace(/^\/|\/$/g, '');
  const server = Object.hasOwn(SERVER_PATHS, path) ? SERVER_PATHS[path] : undefined;
  if (server) return checked(server, method);
  const found = /^v2\/models\/([^/]+)(?:\/versions\/([^/]+))?(?:\/([^/]+))?$/.exec(path);
  const name = found && MODEL_VERBS.get(found[3]);
  if (!found || !name) return undefined;
  const fault = identityFault(found[1] as string, found[2], model);
  return fault ? { name, fault } : checked(name, method);
}

function checked(name: RouteName, method: string): Route {
  const allowed = METHODS[name];
  if (method === allowed) return { name };
  return { name, fault: new RequestError(405, `Use ${allowed} here, not ${method}.`, { allow: allowed }) };
}

function identityFault(name: string, version: string | undefined, model: ModelIdentity): RequestError | undefined {
  if (decoded(name) !== model.name) {
    return new RequestError(404, `There is no model "${decoded(name)}" here; this server has "${model.name}".`);
  }
  if (version === undefined || decoded(version) === model.version) return undefined;
  return new RequestError(
    404,
    `There is no version "${decoded(version)}" of "${model.name}" here; this server has "${model.version}".`,
  );
}

const decoded = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
