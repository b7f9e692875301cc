import { Failure } from '../../../artifact/failure.ts';
import { badRequest, RequestError } from '../../requestError.ts';
import { CONTROL_REFUSED } from '../../rest/repository.ts';
import type { RpcContext } from '../dependencies.ts';
import type { Plain } from '../proto/codec.ts';
import type { Describe } from './descriptions.ts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/**
 * Triton names the model in field 2, behind the name of a repository; KServe sends field 1 alone. The two messages have
 * one path, so that a message with field 1 and without field 2 is KServe's.
 */
const nameOf = (message: Plain): string => textOf(message['model_name']) || textOf(message['repository_name']);

async function control(kind: 'load' | 'unload', message: Plain, { repository }: RpcContext): Promise<string> {
  if (!repository.controllable) throw new RequestError(501, CONTROL_REFUSED);
  const name = nameOf(message);
  if (name === '') throw badRequest('The message names no model.');
  const parameters = Object.keys((message['parameters'] as Plain | undefined) ?? {});
  const foreign = parameters.find((parameter) => kind === 'load' || parameter !== 'unload_dependents');
  if (foreign !== undefined) {
    throw badRequest(`Parameter "${foreign}" is not served; a model is loaded from its folder, as it lies there.`);
  }
  if (kind === 'unload' && !repository.knows(name)) {
    throw new RequestError(404, `There is no model "${name.slice(0, 100)}" to unload.`);
  }
  await repository[kind](name).catch(refuseFailure);
  return name;
}

/** A model that can't be loaded is the caller's to know of, as in Triton; anything else is a bug of ours. */
function refuseFailure(error: unknown): never {
  throw error instanceof Failure ? badRequest(error.message) : error;
}

/** The answers have the fields that KServe reads; Triton's clients expect an empty message and skip them. */
export const REPOSITORY: Readonly<Record<string, Describe>> = {
  RepositoryIndex: ({ ready }, { repository }) => ({
    models: repository.index().filter(({ state }) => ready !== true || state === 'READY'),
  }),
  RepositoryModelLoad: async (message, context) => ({
    model_name: await control('load', message, context),
    isLoaded: true,
  }),
  RepositoryModelUnload: async (message, context) => ({
    model_name: await control('unload', message, context),
    isUnloaded: true,
  }),
};
