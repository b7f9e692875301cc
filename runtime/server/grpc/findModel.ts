import type { ServedModel } from '../models/servedModel.ts';
import type { PortDependencies } from '../portDependencies.ts';
import { badRequest } from '../requestError.ts';
import { absentModel } from '../rest/absentModel.ts';
import { answerHead } from './blocks.ts';
import { type AnswerParts, answerParts } from './messages/inferResponse.ts';

type Where = Pick<PortDependencies, 'repository' | 'phase'>;

/** The model that a message names; an empty version is the newest. Throws RequestError 400, 404, 503. */
export function findModel(where: Where, name: string, version: string): ServedModel {
  const model = where.repository.find(name, version === '' ? undefined : version);
  if (model) return model;
  if (name === '') throw badRequest('The message names no model.');
  throw absentModel({ model: name, version: version === '' ? undefined : version }, where);
}

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
