import { inferenceServices, modelVersions, trainingJobs } from '../src/api/kinds.ts';
import type { Resource } from '../src/kube/resource.ts';

export const TARGET_KINDS = ['InferenceService', 'ModelVersion', 'TrainingJob'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** One object named on the command line. */
export interface Target {
  readonly kind: TargetKind;
  readonly name: string;
}

const ALIASES: Readonly<Record<string, TargetKind>> = {
  infs: 'InferenceService',
  inferenceservice: 'InferenceService',
  inferenceservices: 'InferenceService',
  mv: 'ModelVersion',
  modelversion: 'ModelVersion',
  modelversions: 'ModelVersion',
  tj: 'TrainingJob',
  trainingjob: 'TrainingJob',
  trainingjobs: 'TrainingJob',
};

export const RESOURCES: Readonly<Record<TargetKind, Resource>> = {
  InferenceService: inferenceServices,
  ModelVersion: modelVersions,
  TrainingJob: trainingJobs,
};

export const shortName = ({ kind, name }: Target): string =>
  `${{ InferenceService: 'infs', ModelVersion: 'mv', TrainingJob: 'tj' }[kind]}/${name}`;

/** Reads `infs/flights` as kubectl would, with the group if the caller writes it. Undefined when it names no kind of ours. */
export function parseTarget(text: string): Target | undefined {
  const [kindText = '', name = '', ...rest] = text.split('/');
  const kind = ALIASES[kindText.toLowerCase().replace(/\.slipway\.dev$/, '')];
  return kind === undefined || name === '' || rest.length > 0 ? undefined : { kind, name };
}
