import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The first executable of that name on KUBEBUILDER_ASSETS and PATH. */
export function installedAt(name: string): string | undefined {
  const places = [process.env['KUBEBUILDER_ASSETS'], ...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return places
    .filter((place) => place !== undefined && place !== '')
    .map((place) => join(String(place), name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
