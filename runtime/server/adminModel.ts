import type { Repository } from './models/repository.ts';
import type { ModelIdentity, ServedModel } from './models/servedModel.ts';
import { badRequest, listed, RequestError } from './requestError.ts';
import { absentModel } from './rest/absentModel.ts';
import type { AskedModel } from './rest/admin.ts';
import type { RestDependencies } from './rest/dependencies.ts';

export interface AdminModels {
  /** The one model of a pod, known before it is loaded. */
  readonly identity: ModelIdentity | undefined;
  readonly repository: Repository;
  readonly phase: RestDependencies['phase'];
}

/**
 * The model that evidence, a baseline or an order is about: the one of a pod, which needs no name, or one of a folder,
 * which needs one where there are several. Undefined: it is not loaded yet. Throws RequestError: there is none, or it
 * can't be told which.
 */
export function adminModel({ model, version }: AskedModel, models: AdminModels): ServedModel | undefined {
  const { identity, repository } = models;
  if (identity) {
    const isOurs = (model ?? identity.name) === identity.name && (version ?? identity.version) === identity.version;
    if (isOurs) return repository.find(identity.name);
    throw new RequestError(404, `This is a pod of "${identity.name}", version "${identity.version}", and of no other.`);
  }
  const names = repository.names();
  const name = model ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined && names.length > 1) {
    throw badRequest(`This server has ${listed(names)}; say which by ?model=<name>, and &version= for one of several.`);
  }
  if (name === undefined) return undefined;
  const found = repository.find(name, version);
  if (found) return found;
  throw absentModel({ model: name, version }, models);
}
