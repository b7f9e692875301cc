import * as z from 'zod';
import { Failure } from '../../artifact/failure.ts';
import type { ModelRepository } from '../models/servedModel.ts';
import { badRequest, RequestError } from '../requestError.ts';
import { jsonBody } from './jsonBody.ts';
import { type Answer, jsonAnswer } from './wire.ts';

/** Triton's model repository extension (server docs/protocol/extension_model_repository.md). */

const indexSchema = z.object({ ready: z.boolean().default(false) });
const controlSchema = z.object({
  parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

const orEmpty = (body: Buffer): Buffer => (body.length === 0 ? Buffer.from('{}') : body);

/** Every model and version that is known; only the ready ones if asked so. */
export function repositoryIndex(repository: ModelRepository, body: Buffer): Answer {
  const { ready } = jsonBody(orEmpty(body), indexSchema, 'an object with "ready" true or false, or nothing');
  return jsonAnswer(repository.index().filter(({ state }) => !ready || state === 'READY'));
}

/** Loads (again) or unloads, answering when that is done. What a caller may not bring along is refused by name. */
export async function repositoryControl(
  repository: ModelRepository,
  control: 'load' | 'unload',
  model: string,
  body: Buffer,
): Promise<Answer> {
  if (!repository.controllable) throw new RequestError(403, CONTROL_REFUSED);
  const { parameters } = jsonBody(orEmpty(body), controlSchema, 'an object with "parameters", or nothing');
  const foreign = Object.keys(parameters).find((name) => control === 'load' || name !== 'unload_dependents');
  if (foreign !== undefined) {
    throw badRequest(`Parameter "${foreign}" is not served; a model is loaded from its folder, as it lies there.`);
  }
  if (control === 'unload' && !repository.knows(model)) {
    throw new RequestError(404, `There is no model "${model.slice(0, 100)}" to unload.`);
  }
  await repository[control](model).catch(refuseFailure);
  return jsonAnswer({});
}

export const CONTROL_REFUSED =
  'Models are neither loaded nor unloaded by callers here; set "repository" to "Explicit" in the serving settings.';

/** A model that can't be loaded is the caller's to know of, as in Triton; anything else is a bug of ours. */
function refuseFailure(error: unknown): never {
  throw error instanceof Failure ? badRequest(error.message) : error;
}
