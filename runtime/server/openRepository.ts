import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ServerConfig } from './config.ts';
import type { Log } from './log.ts';
import { type FoundModel, findModels } from './models/modelFolder.ts';
import { type ObservedModel, openModel, type Workshop } from './models/openModel.ts';
import { Repository } from './models/repository.ts';
import type { Observation } from './observe/observation.ts';
import { refuseStrangers } from './settings.ts';

export interface RepositorySurroundings extends Pick<Workshop, 'cores'> {
  readonly child: NonNullable<Workshop['child']>;
  readonly log: Log;
  readonly observe: (model: ObservedModel) => Observation;
}

/**
 * A request finds its model when its body is whole and leases room in the same turn: nothing is between. Kept for callers
 * to come that wait a moment there.
 */
const LINGER_MS = 100;

/** The models of the configuration, none of them loaded yet. */
export function openRepository(
  config: ServerConfig,
  { cores, child, log, observe }: RepositorySurroundings,
): Repository {
  const { source, settings } = config;
  const open = (found: FoundModel) =>
    openModel(found, {
      settings: settings.of(found.name),
      cores,
      child,
      digest: source.kind === 'Artifact' ? source.identity.digest : undefined,
      verificationKeyFile: source.kind === 'Artifact' ? source.verificationKeyFile : undefined,
      observe,
      random: Math.random,
      epoch: randomUUID,
      elapsed: () => performance.now(),
      now: () => new Date(),
      log,
    });
  const { repository: control, versions } = settings.serving;
  const controllable = control === 'Explicit';
  return new Repository({
    find: async () => {
      const found = await foundIn(source);
      if (!controllable)
        refuseStrangers(
          settings,
          found.map(({ name }) => name),
        );
      return found;
    },
    open,
    versions,
    controllable,
    linger: () => pause(LINGER_MS),
  });
}

async function foundIn(source: ServerConfig['source']): Promise<readonly FoundModel[]> {
  if (source.kind === 'Folder') return findModels(source.path);
  const { name, version } = source.identity;
  return [{ name, version, path: source.directory, bare: false }];
}
