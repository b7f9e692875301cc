import { join } from 'node:path';
import { findBinary } from './binaries/find.ts';
import { type BoundChild, startBound } from './boundChild.ts';
import type { ControlPlane } from './controlPlane.ts';
import type { Log } from './progress.ts';

export interface SchedulingOptions {
  readonly plane: Pick<ControlPlane, 'kubeconfig'>;
  /** Where logs go. */
  readonly directory: string;
  /** Controllers of kube-controller-manager to run; none: it is not started. */
  readonly controllers?: readonly string[];
  /** How pods end that are deleted: gone at once (the default), or by SIGTERM and a moment later, as under a kubelet. */
  readonly podsEnd?: 'AtOnce' | 'BySigterm';
  readonly log?: Log;
}

const stages = (name: string): string[] => ['--config', join(import.meta.dirname, 'manifests', `${name}.yaml`)];

const ENDS = { AtOnce: 'kwok-vanish', BySigterm: 'kwok-sigterm' } as const;

/** Only what they are asked for must bound them: the defaults hold them to 20 and 50 calls a second. */
const UNBOUND = ['--kube-api-qps=1000', '--kube-api-burst=2000'];

/** On a machine that is busy with a thousand pods kwok renews a lease late, and no node of its own was lost for that. */
const PATIENT = ['--node-monitor-grace-period=30m'];

/**
 * The real scheduler beside a control plane, the controllers asked for, and kwok in the place of kubelets: every Node
 * that is created becomes ready, and every pod that is placed runs. Resolves once they are started; they end with
 * stop(), and also when this process dies.
 */
export async function startScheduling({
  plane: { kubeconfig },
  directory,
  controllers = [],
  podsEnd = 'AtOnce',
  log = () => {},
}: SchedulingOptions): Promise<{ stop(): Promise<void> }> {
  const component = ['--kubeconfig', kubeconfig, '--leader-elect=false', '--secure-port=0', ...UNBOUND];
  const wanted = [
    ['kube-scheduler', component],
    ['kwok', ['--kubeconfig', kubeconfig, ...stages('kwok'), ...stages(ENDS[podsEnd]), '--manage-all-nodes']],
    ...(controllers.length === 0
      ? []
      : [['kube-controller-manager', [...component, ...PATIENT, `--controllers=${controllers.join(',')}`]] as const]),
  ] as const;
  const children: BoundChild[] = [];
  for (const [name, args] of wanted)
    children.push(startBound(await findBinary(name, log), args, join(directory, `${name}.log`)));
  return {
    stop: async () => {
      await Promise.all(children.map((child) => child.end('SIGKILL')));
    },
  };
}
