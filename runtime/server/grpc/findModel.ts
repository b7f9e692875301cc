import type { ModelRepository, ServedModel } from '../models/servedModel.ts';
import { badRequest, listed, RequestError } from '../requestError.ts';
import { answerHead } from './blocks.ts';
import { type AnswerParts, answerParts } from './messages/inferResponse.ts';

/** The model that a message names; an empty version is the newest. Throws RequestError 400, 404, 503. */
export function findModel(repository: ModelRepository, name: string, version: string): ServedModel {
  const model = repository.find(name, version === '' ? undefined : version);
  if (model) return model;
  if (name === '') throw badRequest(`Name the model; this server has ${listed(repository.names())}.`);
  const called = version === '' ? `model "${brief(name)}"` : `version "${brief(version)}" of "${brief(name)}"`;
  if (repository.knows(name, version === '' ? undefined : version)) {
    throw new RequestError(503, `The ${called} is not ready.`, { 'retry-after': '1' });
  }
  const known = repository.find(name) ? repository.versions(name) : repository.names();
  throw new RequestError(404, `There is no ${called} here; this server has ${listed(known) || 'none'}.`);
}

const brief = (name: string): string => (name.length > 100 ? `${name.slice(0, 100)}…` : name);

/** What is the same in each answer of a model version. */
export interface ModelAnswers {
  readonly parts: AnswerParts;
  readonly head: Buffer;
}

const known = new WeakMap<ServedModel, ModelAnswers>();

export function answersOf(model: ServedModel): ModelAnswers {
  let answers = known.get(model);
  if (!answers) {
    const { identity, signature } = model;
    answers = { parts: answerParts(identity.name, identity.version, signature.outputs), head: answerHead(identity) };
    known.set(model, answers);
  }
  return answers;
}
