import type { ServedModel } from '../models/servedModel.ts';
import { RequestError } from '../requestError.ts';
import type { RestDependencies } from './dependencies.ts';
import type { Route, RouteName } from './routes.ts';
import { type Answer, jsonAnswer } from './wire.ts';

/** What the server can beside the bare protocol, as Triton names it. */
const EXTENSIONS = [
  'binary_tensor_data',
  'parameters',
  'model_configuration',
  'schedule_policy',
  'statistics',
] as const;

/** Paths that probes ask: open to all, for a probe has no key. */
const HEALTH: ReadonlySet<RouteName> = new Set([
  'alive',
  'serverLive',
  'serverReady',
  'modelReady',
  'v1Ready',
] satisfies RouteName[]);

export const isOpenToAll = ({ name }: Route): boolean => HEALTH.has(name);

interface Question {
  readonly route: Route;
  readonly deps: RestDependencies;
  /** Throws RequestError 404 or 503 where the route is about a model that is not there. */
  readonly model: () => ServedModel;
  readonly isReady: boolean;
}

type Description = (question: Question) => Answer;

/** Both keys on both health paths: the protocol's text and its clients disagree on which belongs where. */
const health = (ok: boolean, { deps }: Question): Answer =>
  jsonAnswer({ live: true, ready: deps.ready(), ...(ok ? {} : { error: 'The server is not ready.' }) }, ok ? 200 : 503);

const readiness = ({ route, isReady }: Question): Answer =>
  jsonAnswer({ name: route.model, ready: isReady }, isReady ? 200 : 503);

const DESCRIPTIONS: Readonly<Partial<Record<RouteName, Description>>> = {
  alive: () => jsonAnswer({ status: 'alive' }),
  serverLive: (question) => health(true, question),
  serverReady: (question) => health(question.deps.ready(), question),
  serverMetadata: ({ deps }) =>
    jsonAnswer({
      name: 'slipway',
      version: deps.version,
      extensions: [...EXTENSIONS, ...(deps.repository.controllable ? ['model_repository'] : [])],
    }),
  modelList: ({ deps }) => jsonAnswer({ models: deps.repository.names() }),
  v1List: ({ deps }) => jsonAnswer({ models: deps.repository.names() }),
  modelReady: readiness,
  v1Ready: readiness,
};

/** The answer to a question by GET. `absent` says why a model is not there. Throws RequestError. */
export function describe(
  route: Route,
  model: ServedModel | undefined,
  deps: RestDependencies,
  absent: () => RequestError,
): Answer {
  const found = (): ServedModel => {
    if (model) return model;
    throw absent();
  };
  if (isOpenToAll(route) && route.model !== '' && !model) throwUnlessKnown(route, deps, absent);
  const isReady = model?.healthy === true && deps.phase() === 'Serving';
  const description = DESCRIPTIONS[route.name];
  if (!description) throw new RequestError(501, 'This is not served yet.');
  return description({ route, deps, model: found, isReady });
}

function throwUnlessKnown({ model, version }: Route, { repository }: RestDependencies, absent: () => RequestError) {
  if (!repository.knows(model, version)) throw absent();
}
