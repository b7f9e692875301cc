import { GROUP, VERSION } from '@slipway/crds/contract';
import { type Schema, toStructural } from '@slipway/crds/generate/structural.ts';
import { KINDS } from '@slipway/crds/v1alpha1/kinds.ts';
import type { Client } from '../kube/client.ts';
import type { KubeObject } from '../kube/wire.ts';
import { fieldsLacking, type Path, pathText, without } from './lacking.ts';

/** A definition in the cluster that an earlier release brought: what of ours it does not know. */
export interface OlderKind {
  readonly kind: string;
  readonly plural: string;
  readonly lacking: readonly Path[];
}

interface OpenApi {
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}
interface GroupVersionKind {
  readonly kind: string;
}

/** Where the API server publishes what it knows of our kinds. Everybody who is logged in may read it. */
export const OPENAPI = `/openapi/v3/apis/${GROUP}/${VERSION}`;

const servedKind = ({ components: { schemas = {} } = {} }: OpenApi, kind: string): Schema | undefined =>
  Object.values(schemas).find((schema) =>
    ((schema['x-kubernetes-group-version-kind'] ?? []) as readonly GroupVersionKind[]).some((gvk) => gvk.kind === kind),
  );

/** The kinds whose served definition lacks fields that this operator knows. A kind that is not there at all is none of them. */
export function olderKinds(openApi: unknown): OlderKind[] {
  return KINDS.flatMap(({ kind, plural, spec, status }) => {
    const served = servedKind(openApi as OpenApi, kind);
    if (served === undefined) return [];
    const properties = { spec: toStructural(spec, 'spec'), status: toStructural(status, 'status') };
    const lacking = fieldsLacking({ properties }, served);
    return lacking.length === 0 ? [] : [{ kind, plural, lacking }];
  });
}

const NAMED = 4;

/** What is wrong, what follows, and what mends it. */
export function olderText({ plural, lacking }: OlderKind): string {
  const named = lacking.slice(0, NAMED).map(pathText).join(', ');
  const more = lacking.length > NAMED ? ` and ${lacking.length - NAMED} more` : '';
  return `CustomResourceDefinition ${plural}.${GROUP} is older than this operator: it lacks ${named}${more}, which can't be asked for and is not told until you run helm upgrade slipway-crds, or kubectl apply -f crds/.`;
}

/**
 * `client`, leaving out of a status what the cluster's definition does not know: the API server refuses a status with one
 * unknown field whole, and nothing would be told at all.
 */
export const tellingWhatIsKnown = (client: Client, older: () => readonly OlderKind[]): Client => ({
  ...client,
  applyStatus: (resource, object, options) => {
    const kind = resource.group === GROUP ? older().find(({ plural }) => plural === resource.plural) : undefined;
    const known = (kind?.lacking ?? [])
      .filter(([top]) => top === 'status')
      .reduce<unknown>((kept, path) => without(kept, path), object);
    return client.applyStatus(resource, known as typeof object & KubeObject, options);
  },
});
