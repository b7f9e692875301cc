import type { RevisionSpec } from '../domain/revision.ts';
import type { KubeObject } from '../kube/wire.ts';

/**
 * What a revision runs, kept on its Deployment and on its Service. The spec has moved on to the next version by the time
 * somebody deletes a Deployment of the stable one, and what served must come back as it was.
 */
const ANNOTATION = 'slipway.dev/revision-spec';

export const revisionRecord = (spec: RevisionSpec): Record<string, string> => ({ [ANNOTATION]: JSON.stringify(spec) });

/** The record of an object of ours; undefined where a person has damaged it. */
export function readRevisionRecord({ metadata }: KubeObject): RevisionSpec | undefined {
  try {
    const read = JSON.parse(metadata.annotations?.[ANNOTATION] ?? 'null') as RevisionSpec | null;
    return typeof read?.model?.digest === 'string' && typeof read.uri === 'string' ? read : undefined;
  } catch {
    return undefined;
  }
}
