import { listed, RequestError } from '../requestError.ts';
import type { RestDependencies } from './dependencies.ts';
import type { Route } from './routes.ts';

const NOT_LOADED = new RequestError(503, 'The model is not loaded yet.', { 'retry-after': '1' });

/** Why no model answers: it is on its way (503), or nobody knows it (404). */
export function absentModel(
  { model, version }: Pick<Route, 'model' | 'version'>,
  { repository, phase }: Pick<RestDependencies, 'repository' | 'phase'>,
): RequestError {
  if (phase() === 'Starting' || repository.knows(model, version)) return NOT_LOADED;
  const name = shortened(model);
  if (version === undefined || !repository.knows(model)) {
    return new RequestError(404, `There is no model "${name}" here; this server has ${namesOf(repository.names())}.`);
  }
  const versions = namesOf(repository.versions(model));
  return new RequestError(404, `There is no version "${shortened(version)}" of "${name}" here, only ${versions}.`);
}

/** Enough names to find one's mistake; a repository may hold thousands. */
const namesOf = (names: readonly string[]): string => {
  if (names.length === 0) return 'none';
  return names.length > 10 ? `${listed(names.slice(0, 10))} and ${names.length - 10} more` : listed(names);
};

/** One line, and not the caller's ten thousand letters. */
const shortened = (text: string): string => {
  const line = text.replace(/\p{Cc}/gu, '?');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
};
