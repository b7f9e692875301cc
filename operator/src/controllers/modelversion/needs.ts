import { configMaps, persistentVolumeClaims, secrets } from '../../api/builtin.ts';
import type { ModelVersion } from '../../api/kinds.ts';
import type { Cause } from '../../domain/registry/facts.ts';
import { rivalsFor } from '../../domain/registry/rivals.ts';
import type { Client } from '../../kube/client.ts';
import type { Resource } from '../../kube/resource.ts';
import type { KubeObject } from '../../kube/wire.ts';
import { placeNeeds, placeOf } from '../../render/artifactSource.ts';

/** What the pod of a verification finds when it starts. */
export interface Needs {
  /** The first thing that it mounts and that does not exist: its pod would wait for it without a word. */
  readonly missing?: Cause;
  /** The claim of the artifact takes no writes, so its reports can't be put beside it. */
  readonly readOnly: boolean;
}
export const NOTHING_LACKS: Needs = { readOnly: false };

const lacking = (reason: string, what: string, namespace: string): Needs => ({
  missing: { reason, message: `${what} does not exist in namespace ${namespace}: create it.` },
  readOnly: false,
});

/** Looks up all that a verification mounts. Asked of the server, as none of it is watched. */
export async function needsOf(
  client: Client,
  version: ModelVersion,
  siblings: readonly ModelVersion[],
  signal: AbortSignal,
): Promise<Needs> {
  const { artifact } = version.spec;
  const namespace = version.metadata.namespace ?? '';
  const find = <T extends KubeObject>(resource: Resource<T>, name: string) =>
    client.get(resource, { namespace, name }, { signal });
  const rivals = rivalsFor(version, siblings);
  const own = placeOf(artifact.uri, artifact.secretRef);
  const { claims, secrets: names } = placeNeeds([own, ...(rivals.kind === 'Known' ? rivals.rivals : [])]);
  const found = await Promise.all(claims.map((name) => find(persistentVolumeClaims, name)));
  const lost = claims.find((_, i) => found[i] === undefined);
  if (lost !== undefined) return lacking('ClaimMissing', `PersistentVolumeClaim ${lost} of artifact.uri`, namespace);
  for (const name of names) {
    if ((await find(secrets, name)) === undefined)
      return lacking('SecretMissing', `Secret ${name} of artifact.secretRef`, namespace);
  }
  const key = artifact.signedBy?.configMapRef.name;
  if (key !== undefined && (await find(configMaps, key)) === undefined) {
    return lacking('KeyMissing', `ConfigMap ${key} of artifact.signedBy`, namespace);
  }
  const modes = found[claims.indexOf(placeNeeds([own]).claims[0] ?? '')]?.spec?.accessModes ?? [];
  return { readOnly: modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany') };
}
