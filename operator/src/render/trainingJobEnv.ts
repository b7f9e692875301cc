import type { EnvVar as UserEnvVar } from '@slipway/crds';
import { DIRECTORIES, ENV, FILES } from '@slipway/crds/contract';
import type { TrainingJob } from '../api/kinds.ts';
import type { Stored } from '../kube/wire.ts';
import { frameworkEnv } from './frameworkEnv.ts';
import type { Container } from './pod.ts';
import { RENDEZVOUS_PORT } from './rendezvousService.ts';
import { progressEnv } from './trainingAgent.ts';
import { childNames } from './trainingJobChildren.ts';

type EnvVar = NonNullable<Container['env']>[number];

/** Where the Job controller tells a pod its index. */
const COMPLETION_INDEX = "metadata.annotations['batch.kubernetes.io/job-completion-index']";

const variables = (values: Readonly<Record<string, string>>): EnvVar[] =>
  Object.entries(values).map(([name, value]) => ({ name, value }));

const fromIndex = (name: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath: COMPLETION_INDEX } } });

/** Worker processes per pod: the number given, else one per accelerator, else one. */
export function processesPerNode({ processesPerNode: asked, accelerator }: TrainingJob['spec']): number {
  return asked === 'Auto' ? (accelerator?.count ?? 1) : Number(asked);
}

/** SLIPWAY_PARAM_<NAME>: upper case, and everything that a shell variable can't hold becomes an underscore. */
export const parameterVariable = (name: string): string =>
  `${ENV.parameterPrefix}${name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')}`;

/** Why some parameters can't all reach the trainer; undefined: they can. One would be lost without a word. */
export function parameterClash({ parameters: asked = {} }: TrainingJob['spec']): string | undefined {
  const names = new Map<string, string>();
  for (const name of Object.keys(asked).sort()) {
    const variable = parameterVariable(name);
    const other = names.get(variable);
    if (other !== undefined) return `Parameters ${other} and ${name} would both be ${variable}: rename one of them.`;
    names.set(variable, name);
  }
  return undefined;
}

const parameters = (spec: TrainingJob['spec']): EnvVar[] =>
  variables(
    Object.fromEntries(
      Object.entries(spec.parameters ?? {})
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, value]) => [parameterVariable(name), value]),
    ),
  );

const contract = (tj: Stored<TrainingJob>, attempt: number): EnvVar[] =>
  variables({
    [ENV.job]: tj.metadata.name,
    [ENV.namespace]: tj.metadata.namespace ?? '',
    [ENV.jobUid]: tj.metadata.uid,
    [ENV.attempt]: String(attempt),
    [ENV.modelName]: tj.spec.model.name,
    ...(tj.status?.version === undefined ? {} : { [ENV.modelVersion]: tj.status.version }),
    [ENV.outputDir]: DIRECTORIES.output,
    [ENV.modelDir]: DIRECTORIES.model,
    [ENV.checkpointDir]: DIRECTORIES.checkpoints,
    [ENV.statusDir]: DIRECTORIES.status,
    [ENV.resumeFrom]: `${DIRECTORIES.checkpoints}/${FILES.latest}`,
    ...(tj.spec.datasets === undefined ? {} : { [ENV.inputDir]: DIRECTORIES.input }),
    [ENV.parametersFile]: `${DIRECTORIES.parameters}/${FILES.parameters}`,
    PYTHONUNBUFFERED: '1',
  });

/**
 * The rendezvous of torchrun (PET_*) and of plain torch.distributed (MASTER_*, RANK), so that images made for either
 * run unmodified. LOCAL_RANK is never set: frameworks take it as the sign that a launcher has set everything else.
 * WORLD_SIZE and RANK count processes, so they are known here only with one process per pod.
 */
function rendezvous(tj: Stored<TrainingJob>, attempt: number): EnvVar[] {
  const names = childNames(tj.metadata.name);
  const master = `${names.attempt(attempt)}-0.${names.rendezvous}.${tj.metadata.namespace}.svc`;
  const port = String(RENDEZVOUS_PORT);
  const perNode = processesPerNode(tj.spec);
  return [
    ...variables({ PET_NNODES: String(tj.spec.nodes), PET_NPROC_PER_NODE: String(perNode) }),
    fromIndex('PET_NODE_RANK'),
    ...variables({ PET_MASTER_ADDR: master, PET_MASTER_PORT: port, MASTER_ADDR: master, MASTER_PORT: port }),
    fromIndex('NODE_RANK'),
    ...(perNode === 1 ? [...variables({ WORLD_SIZE: String(tj.spec.nodes) }), fromIndex('RANK')] : []),
  ];
}

/** What is known by names that are not ours: a list may hold each name once, and the user's own stays. */
function frameworks(tj: Stored<TrainingJob>, attempt: number): EnvVar[] {
  const taken = new Set((tj.spec.env ?? []).map(({ name }) => name));
  return variables(frameworkEnv(tj, attempt)).filter(({ name }) => !taken.has(name));
}

/** Environment of the training container. Ours comes last and under names the API refuses to users, so it always holds. */
export const trainingEnv = (tj: Stored<TrainingJob>, attempt: number): EnvVar[] => [
  ...((tj.spec.env ?? []) as UserEnvVar[] as EnvVar[]),
  ...parameters(tj.spec),
  ...contract(tj, attempt),
  ...rendezvous(tj, attempt),
  ...frameworks(tj, attempt),
  ...progressEnv(tj),
];
