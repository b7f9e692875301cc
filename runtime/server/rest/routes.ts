import { FEEDBACK_PATH } from '@slipway/crds/contract';

export type RouteName =
  | 'serverMetadata'
  | 'serverLive'
  | 'serverReady'
  | 'modelList'
  | 'modelMetadata'
  | 'modelReady'
  | 'modelConfig'
  | 'modelStatistics'
  | 'statistics'
  | 'infer'
  | 'repositoryIndex'
  | 'repositoryLoad'
  | 'repositoryUnload'
  | 'alive'
  | 'v1List'
  | 'v1Ready'
  | 'predict'
  | 'openApi'
  | 'feedback';

/** What a request target asks for; nothing of it is known to exist. */
export interface Route {
  readonly name: RouteName;
  readonly method: 'GET' | 'POST';
  /** Name of the model, '' for routes of the server. */
  readonly model: string;
  /** Undefined: the newest. Any token, as the protocol has it; Triton knows only numbers. */
  readonly version: string | undefined;
}

const get = (name: RouteName): Route => ({ name, method: 'GET', model: '', version: undefined });
const post = (name: RouteName): Route => ({ name, method: 'POST', model: '', version: undefined });

const SERVER_ROUTES: ReadonlyMap<string, Route> = new Map([
  ['', get('alive')],
  ['v2', get('serverMetadata')],
  ['v2/health/live', get('serverLive')],
  ['v2/health/ready', get('serverReady')],
  ['v2/models', get('modelList')],
  ['v2/models/stats', get('statistics')],
  ['v2/repository/index', post('repositoryIndex')],
  ['v1/models', get('v1List')],
  ['openapi.json', get('openApi')],
  [FEEDBACK_PATH.slice(1), post('feedback')],
]);

type Verb = readonly [RouteName, Route['method']];

const MODEL_VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['', ['modelMetadata', 'GET']],
  ['ready', ['modelReady', 'GET']],
  ['config', ['modelConfig', 'GET']],
  ['stats', ['modelStatistics', 'GET']],
  ['infer', ['infer', 'POST']],
]);

const REPOSITORY_VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['load', ['repositoryLoad', 'POST']],
  ['unload', ['repositoryUnload', 'POST']],
]);

const MODELS = 'v2/models/';
const REPOSITORY = 'v2/repository/models/';
const V1_MODELS = 'v1/models/';
const PREDICT = ':predict';
/** V1's other verb, which is not served: taken for a part of a name it would be a model that nobody has. */
const EXPLAIN = ':explain';

/**
 * The route of a request target: Open Inference Protocol, Triton's extensions, V1 and our own. The version segment is
 * optional, one trailing slash is ignored. Undefined: no such path. String operations only: this runs for each request.
 */
export function routeOf(target: string): Route | undefined {
  const path = pathOf(target);
  return SERVER_ROUTES.get(path) ?? modelRoute(path);
}

function modelRoute(path: string): Route | undefined {
  if (path.startsWith(MODELS)) return verbRoute(path.slice(MODELS.length).split('/'), MODEL_VERBS);
  if (path.startsWith(V1_MODELS)) return v1Route(path.slice(V1_MODELS.length).split('/'));
  if (!path.startsWith(REPOSITORY)) return undefined;
  const [model = '', verb = '', ...rest] = path.slice(REPOSITORY.length).split('/');
  return rest.length > 0 ? undefined : routeFor(REPOSITORY_VERBS.get(verb), model, undefined);
}

function verbRoute(segments: readonly string[], verbs: ReadonlyMap<string, Verb>): Route | undefined {
  const [model = '', second = ''] = segments;
  if (second !== 'versions') return segments.length > 2 ? undefined : routeFor(verbs.get(second), model, undefined);
  const [, , version = '', verb = ''] = segments;
  return segments.length > 4 || version === '' ? undefined : routeFor(verbs.get(verb), model, version);
}

function v1Route(segments: readonly string[]): Route | undefined {
  const last = decoded(segments.at(-1) ?? '');
  if (last.endsWith(EXPLAIN)) return undefined;
  const predicts = last.endsWith(PREDICT);
  const end = predicts ? last.slice(0, -PREDICT.length) : last;
  const verb: Verb = predicts ? ['predict', 'POST'] : ['v1Ready', 'GET'];
  if (segments.length === 1) return routeFor(verb, end, undefined);
  const isVersion = segments.length === 3 && segments[1] === 'versions' && end !== '';
  return isVersion ? routeFor(verb, segments[0] as string, end) : undefined;
}

const routeFor = (verb: Verb | undefined, model: string, version: string | undefined): Route | undefined =>
  verb === undefined || model === ''
    ? undefined
    : { name: verb[0], method: verb[1], model: decoded(model), version: version && decoded(version) };

/** The path without query, slash in front and slash behind. Proxies may send the absolute form (RFC 9112 §3.2.2). */
function pathOf(target: string): string {
  let start = 0;
  if (!target.startsWith('/')) {
    const authority = target.indexOf('://');
    start = authority < 0 ? 0 : target.indexOf('/', authority + 3);
    if (start < 0) return '';
  }
  const query = target.indexOf('?', start);
  let end = query < 0 ? target.length : query;
  if (target.charCodeAt(start) === SLASH) start += 1;
  if (end > start && target.charCodeAt(end - 1) === SLASH) end -= 1;
  return target.slice(start, end);
}

const SLASH = 47;

const decoded = (segment: string): string => {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};

/** Targets that are remembered. A crowd of invented ones empties the table, never grows it. */
const MOST_TARGETS = 256;
const LONGEST_TARGET = 256;

/** `routeOf` for the hot path: callers ask for the same few targets again and again. */
export class Router {
  readonly #known = new Map<string, Route>();

  routeOf(target: string): Route | undefined {
    return this.#known.get(target) ?? this.#find(target);
  }

  #find(target: string): Route | undefined {
    const route = routeOf(target);
    if (!route || target.length > LONGEST_TARGET) return route;
    if (this.#known.size >= MOST_TARGETS) this.#known.clear();
    this.#known.set(target, route);
    return route;
  }
}
