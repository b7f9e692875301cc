import type { Ground } from './ground.ts';
import { OPERATOR, OPERATOR_NAMESPACE } from './install.ts';

const LAST_LINES = '--tail=30';

/** What a person would look at first when something failed. A question that can't be answered says why instead. */
const QUESTIONS = (namespace: string): readonly (readonly string[])[] => [
  ['get', 'nodes'],
  ['-n', namespace, 'get', 'tj,mv,infs,jobs,deployments,pods,pvc,httproutes', '-o', 'wide'],
  ['-n', namespace, 'get', 'tj,mv,infs', '-o', CONDITIONS],
  ['-n', namespace, 'get', 'events.events.k8s.io', '--sort-by=.metadata.creationTimestamp'],
  ['-n', OPERATOR_NAMESPACE, 'get', 'pods', '-o', 'wide'],
  ['-n', OPERATOR_NAMESPACE, 'logs', OPERATOR, LAST_LINES],
];

const CONDITIONS =
  'jsonpath={range .items[*]}{.kind}/{.metadata.name}{"\\n"}{range .status.conditions[*]}' +
  '  {.type}={.status} {.reason}: {.message}{"\\n"}{end}{end}';

async function answer({ kubectl }: Ground, args: readonly string[]): Promise<string> {
  const text = await kubectl(...args).catch((error: unknown) => String(error));
  return `$ kubectl ${args.filter((a) => a !== CONDITIONS).join(' ')}\n${text}\n`;
}

/** Names of pods that are not running well, whose own words are worth reading. */
async function unwellPods({ kubectl }: Ground, namespace: string): Promise<string[]> {
  const columns =
    'jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.status.containerStatuses[*].ready}{"\\n"}{end}';
  const text = await kubectl('-n', namespace, 'get', 'pods', '-o', columns).catch(() => '');
  const lines = text
    .split('\n')
    .filter((line) => line !== '' && !line.includes(' Succeeded') && !/ Running (true ?)+$/.test(line));
  return lines.map((line) => line.split(' ')[0] ?? '');
}

/** Events, conditions and last log lines of a namespace, as text. Never throws. */
export async function diagnose(ground: Ground, namespace: string): Promise<string> {
  const unwell = await unwellPods(ground, namespace);
  const logs = unwell.map((pod) => ['-n', namespace, 'logs', pod, '--all-containers', LAST_LINES]);
  const texts = await Promise.all([...QUESTIONS(namespace), ...logs].map((args) => answer(ground, args)));
  return texts.join('\n');
}
