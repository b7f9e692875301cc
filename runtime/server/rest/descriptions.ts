import type { ServedModel } from '../models/servedModel.ts';
import { modelConfig, modelMetadata, serverMetadata } from '../protocol/metadata.ts';
import { openApiDocument } from '../protocol/openapi/document.ts';
import { modelStatistics } from '../protocol/statistics.ts';
import { v1Models, v1Status } from '../protocol/v1/predict.ts';
import { absentModel } from './absentModel.ts';
import type { RestDependencies } from './dependencies.ts';
import type { Route, RouteName } from './routes.ts';
import { type Answer, jsonAnswer } from './wire.ts';

interface Question {
  readonly route: Route;
  readonly deps: RestDependencies;
  /** The model of the route. Throws RequestError 404 or 503 where it is not there. */
  readonly model: () => ServedModel;
}

type Describe = (question: Question) => Answer;
type DescribedRoute = Exclude<
  RouteName,
  'infer' | 'predict' | 'feedback' | 'repositoryIndex' | 'repositoryLoad' | 'repositoryUnload'
>;

/** Both keys on both health paths: the protocol's text and its clients disagree on which belongs where. */
const health = (ok: boolean, { deps }: Question): Answer =>
  jsonAnswer({ live: true, ready: deps.ready(), ...(ok ? {} : { error: 'The server is not ready.' }) }, ok ? 200 : 503);

/** 404 for a name that nobody knows: a probe of a misspelt model must not wait for ever. */
const readiness = ({ route, deps }: Question): Answer => {
  const { model: name, version } = route;
  const model = deps.repository.find(name, version);
  const isStarting = deps.phase() === 'Starting';
  if (!model && !isStarting && !deps.repository.knows(name, version)) throw absentModel(route, deps);
  const ready = model?.healthy === true && deps.phase() === 'Serving';
  return jsonAnswer(v1Status(name, ready), ready ? 200 : 503);
};

const models = ({ repository }: RestDependencies): readonly ServedModel[] =>
  repository
    .names()
    .flatMap((name) => repository.versions(name).flatMap((version) => repository.find(name, version) ?? []));

const DESCRIPTIONS: Readonly<Record<DescribedRoute, Describe>> = {
  alive: () => jsonAnswer({ status: 'alive' }),
  serverLive: (question) => health(true, question),
  serverReady: (question) => health(question.deps.ready(), question),
  serverMetadata: ({ deps }) => jsonAnswer(serverMetadata(deps.version, deps.repository.controllable)),
  modelList: ({ deps }) => jsonAnswer(v1Models(deps.repository.names())),
  modelMetadata: ({ model, route, deps }) => jsonAnswer(modelMetadata(model(), deps.repository.versions(route.model))),
  modelReady: readiness,
  modelConfig: ({ model }) => jsonAnswer(modelConfig(model())),
  modelStatistics: ({ model }) => jsonAnswer(modelStatistics([model()])),
  statistics: ({ deps }) => jsonAnswer(modelStatistics(models(deps))),
  v1List: ({ deps }) => jsonAnswer(v1Models(deps.repository.names())),
  v1Ready: readiness,
  openApi: ({ deps }) => jsonAnswer(openApiDocument(models(deps), deps.version)),
};

/** Paths that probes ask: open to all, for a probe has no key. */
const HEALTH: ReadonlySet<RouteName> = new Set(['alive', 'serverLive', 'serverReady', 'modelReady', 'v1Ready']);

export const isOpenToAll = ({ name }: Route): boolean => HEALTH.has(name);

/** The answer to a question by GET. Throws RequestError. */
export function describe(route: Route, model: ServedModel | undefined, deps: RestDependencies): Answer {
  const found = (): ServedModel => {
    if (model) return model;
    throw absentModel(route, deps);
  };
  return DESCRIPTIONS[route.name as DescribedRoute]({ route, deps, model: found });
}
