import type { TrainingJobSpec } from '@slipway/crds';
import { LABELS } from '@slipway/crds/contract';
import type { Job } from '../api/builtin.ts';
import { strategicMerge } from './strategicMerge.ts';

export type PodTemplate = NonNullable<Job['spec']>['template'];
type Overlay = NonNullable<TrainingJobSpec['podTemplate']>;

const OURS = `${LABELS.trainingJob.split('/')[0]}/`;

/** Keys by which pods are found and counted: another value would lose them. */
const isOurs = (key: string): boolean =>
  key.startsWith(OURS) ||
  key === LABELS.managedBy ||
  key === LABELS.component ||
  key.startsWith('batch.kubernetes.io/');

const others = (entries: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !isOurs(key)));

/** Lays what the user writes over a template of ours, as kubectl patch does. Labels and annotations of ours stay. */
export const overlaid = (template: PodTemplate, overlay: Overlay | undefined): PodTemplate =>
  overlay === undefined
    ? template
    : {
        metadata: {
          ...template.metadata,
          labels: { ...template.metadata?.labels, ...others(overlay.metadata?.labels) },
          annotations: { ...template.metadata?.annotations, ...others(overlay.metadata?.annotations) },
        },
        spec: strategicMerge(template.spec, overlay.spec) as NonNullable<PodTemplate['spec']>,
      };
