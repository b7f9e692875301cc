import { parseDuration } from './durations.ts';
import { readFlags } from './flags.ts';
import { type Manifested, readManifested } from './manifestArguments.ts';
import type { RateQuestion } from './rate.ts';
import { readOutput, readRate } from './rateArguments.ts';
import { type RegistryAct, readRegistryAct } from './registry/arguments.ts';
import { type Rehearsing, readRehearsal } from './rehearse/arguments.ts';
import { parseTarget, type Target, type TargetKind } from './target.ts';
import { UsageError } from './usageError.ts';

export const GOALS = ['Ready', 'StageReached', 'RolloutComplete', 'RolledBack', 'Succeeded'] as const;
export type Goal = (typeof GOALS)[number];

/** What a person does to a rollout under way, beside approving a step. */
export const ACTS = ['promote', 'pause', 'resume', 'abort', 'rollback'] as const;
export type Act = (typeof ACTS)[number];

interface Common {
  readonly target: Target;
  readonly namespace: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}
export type Command =
  | { readonly verb: 'help' }
  | { readonly verb: 'version' }
  | { readonly verb: 'rate'; readonly question: RateQuestion; readonly json: boolean }
  | (Omit<Common, 'target'> & { readonly verb: 'plan' } & Manifested)
  | (Omit<Common, 'target'> & { readonly verb: 'rehearse' } & Rehearsing)
  | (Common & { readonly verb: 'status' | 'watch' | 'explain' | Act })
  | (Common & { readonly verb: 'approve'; readonly comment: string | undefined })
  | (Common & RegistryAct)
  | (Common & { readonly verb: 'retry'; readonly revision: string | undefined })
  | (Common & { readonly verb: 'wait'; readonly goal: Goal; readonly timeoutSeconds: number });

export const USAGE = `kubectl slipway: follow a model from training to traffic.

  kubectl slipway status  (infs|mv|tj)/NAME     what it does, on what evidence
  kubectl slipway explain (infs|mv|tj)/NAME     what it waits for and what to do
  kubectl slipway watch   (infs|mv|tj)/NAME     status, again at each change
  kubectl slipway wait    (infs|mv|tj)/NAME --for=GOAL [--timeout=5m]
                          GOAL: Ready, RolloutComplete or RolledBack (infs),
                          Ready or StageReached (mv), Succeeded (tj). Exit
                          status: 0 reached, 1 out of reach, 2 not in time
  kubectl slipway approve infs/NAME [--comment=WHY]
                          let the waiting step pass, in your name
  kubectl slipway promote infs/NAME             skip the steps that are left
  kubectl slipway pause   infs/NAME             stay at this step
  kubectl slipway resume  infs/NAME             go on
  kubectl slipway abort   infs/NAME             take the candidate back
  kubectl slipway rollback infs/NAME            back to the version before
  kubectl slipway retry   infs/NAME [--revision=R]
                          forget that a revision was rolled back

  kubectl slipway approve mv/NAME [--stage=Production] [--comment=WHY]
                          let a version enter a stage, in your name
  kubectl slipway promote mv/NAME --stage=STAGE
                          ask for Candidate, Staging, Production, Archived
  kubectl slipway archive mv/NAME               no new rollout to it starts
  kubectl slipway verify  mv/NAME [--timeout=5m]
                          hash its files and judge its gates again. Exit
                          status: 0 all pass, 1 not so, 2 not in time
  kubectl slipway card    mv/NAME [--md|--html] what is known of it, to keep
  kubectl slipway history (infs|mv)/NAME        what was decided, unchanged?
  kubectl slipway lineage (infs|mv)/NAME        where it comes from

  kubectl slipway plan (infs/NAME|-f FILE) [--rps=100]
                          what applying it would do: steps, pods, time
  kubectl slipway rehearse (infs/NAME|-f FILE) --rps=100 [--errors=30%]
                          plays rollouts under its policy: how long a good
                          version takes, how soon a faulty one is found;
                          faults: --errors --slow --invalid --disagree --wrong
                          [--runs=20] [--most=24h]
  kubectl slipway rehearse (infs/NAME|-f FILE) --from=traffic.jsonl [-o json]
                          replays recorded traffic under its policy: which
                          guard would have failed when, odds of a false
                          rollback, hours per step; or of a Prometheus:
                          --prometheus=URL [--since=24h] [--interval=15s]
                          [--candidate=VERSION] [--record=traffic.jsonl]
  kubectl slipway rate --bad=20 --total=500 --limit=5% [-o json]
                          the verdict of a guard on these counts, without any
                          cluster; --confidence=0.999 as in spec.rollout

  -n, --namespace NAME     default: that of the current context
      --kubeconfig FILE    default: $KUBECONFIG, else ~/.kube/config
      --context NAME       default: the current context of that file
      --version            prints the version of this command`;

const FOR_VERSIONS = ['card', 'verify', 'archive'] as const;
const OF_RECORD = ['history', 'lineage'] as const;

const EXAMPLES: Readonly<Record<string, string>> = {
  status: 'kubectl slipway status infs/flights',
  watch: 'kubectl slipway watch infs/flights',
  explain: 'kubectl slipway explain infs/flights',
  approve: 'kubectl slipway approve infs/flights',
  ...Object.fromEntries(ACTS.map((act) => [act, `kubectl slipway ${act} infs/flights`])),
  retry: 'kubectl slipway retry infs/flights',
  ...Object.fromEntries(FOR_VERSIONS.map((verb) => [verb, `kubectl slipway ${verb} mv/flights-1.0.0`])),
  ...Object.fromEntries(OF_RECORD.map((verb) => [verb, `kubectl slipway ${verb} mv/flights-1.0.0`])),
  wait: 'kubectl slipway wait infs/flights --for=RolloutComplete --timeout=5m',
};
const KINDS_OF_GOAL: Readonly<Record<Goal, readonly TargetKind[]>> = {
  Ready: ['InferenceService', 'ModelVersion'],
  StageReached: ['ModelVersion'],
  RolloutComplete: ['InferenceService'],
  RolledBack: ['InferenceService'],
  Succeeded: ['TrainingJob'],
};

const SERVICE: readonly TargetKind[] = ['InferenceService'];
const VERSION: readonly TargetKind[] = ['ModelVersion'];
const EITHER: readonly TargetKind[] = [...SERVICE, ...VERSION];
/** Kinds that a verb works on; one that is not listed works on all. */
const KINDS_OF_VERB: Readonly<Record<string, readonly TargetKind[]>> = {
  ...Object.fromEntries(['retry', ...ACTS].map((verb) => [verb, SERVICE])),
  ...Object.fromEntries(FOR_VERSIONS.map((verb) => [verb, VERSION])),
  ...Object.fromEntries(['approve', 'promote', ...OF_RECORD].map((verb) => [verb, EITHER])),
};
const withArticle = (kind: TargetKind): string => `${kind === 'InferenceService' ? 'an' : 'a'} ${kind}`;

function readTarget(verb: string, positionals: readonly string[]): Target {
  const example = EXAMPLES[verb] ?? '';
  const [text, extra] = positionals;
  if (text === undefined) throw new UsageError(`${verb} needs an object: write ${example}`);
  if (extra !== undefined)
    throw new UsageError(`${verb} takes one object, so "${extra}" is too many: write ${example}`);
  const target = parseTarget(text);
  if (target === undefined) {
    throw new UsageError(`"${text}" is no object: write KIND/NAME with kind infs, mv or tj, as in ${example}`);
  }
  const kinds = KINDS_OF_VERB[verb] ?? [];
  if (kinds.length > 0 && !kinds.includes(target.kind)) {
    const works = kinds.map(withArticle).join(' or ');
    throw new UsageError(`${verb} works on ${works}, not on ${withArticle(target.kind)}: write ${example}`);
  }
  return target;
}

function readGoal(text: string | undefined, target: Target): Goal {
  const goal = GOALS.find((g) => g === text);
  const fitting = GOALS.filter((g) => KINDS_OF_GOAL[g].includes(target.kind)).join(', ');
  if (goal === undefined || !KINDS_OF_GOAL[goal].includes(target.kind)) {
    const found = text === undefined ? 'wait needs a goal' : `${target.kind} has no goal "${text}"`;
    throw new UsageError(`${found}: write --for= one of ${fitting}`);
  }
  return goal;
}

function readTimeout(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === undefined) throw new UsageError(`"${text}" is no duration: write --timeout=90s or --timeout=5m`);
  return seconds;
}

const isVerb = (verb: string): boolean =>
  Object.hasOwn(EXAMPLES, verb) || verb === 'plan' || verb === 'rate' || verb === 'rehearse';

/** Reads the words after `kubectl slipway`. Throws UsageError for everything that is not a command. */
export function parseCommand(argv: readonly string[]): Command {
  const { values, positionals, odd } = readFlags(argv);
  const [verb, ...rest] = positionals;
  if (values.help === true || verb === 'help') return { verb: 'help' };
  if (values.version === true || verb === 'version') return { verb: 'version' };
  if (verb === undefined) return { verb: 'help' };
  if (!isVerb(verb)) {
    const verbs = [...Object.keys(EXAMPLES), 'plan', 'rate', 'rehearse'].sort().join(', ');
    throw new UsageError(`"${verb}" is no command: write one of ${verbs}`);
  }
  if (odd !== undefined) throw new UsageError(odd);
  if (verb === 'rate') return { verb, question: readRate(values, rest), json: readOutput(values.output) };
  const { namespace, kubeconfig, context, comment, timeout = '5m' } = values;
  const where = { namespace, kubeconfig, context };
  if (verb === 'rehearse') return { verb, ...where, ...readRehearsal(values, rest, readOutput(values.output)) };
  if (verb === 'plan') return { verb, ...where, ...readManifested(verb, values, rest) };
  const common = { target: readTarget(verb, rest), ...where };
  if (verb === 'wait') {
    return { ...common, verb, goal: readGoal(values.for, common.target), timeoutSeconds: readTimeout(timeout) };
  }
  const flags = { stage: values.stage, html: values.html, md: values.md, comment };
  const registry = readRegistryAct(verb, common.target, flags, () => readTimeout(timeout));
  if (registry !== undefined) return { ...common, ...registry };
  if (values.stage !== undefined) {
    throw new UsageError(`--stage is of a ModelVersion: write kubectl slipway ${verb} mv/NAME --stage=${values.stage}`);
  }
  if (verb === 'retry') return { ...common, verb, revision: values.revision };
  if (verb === 'approve') return { ...common, verb, comment };
  return { ...common, verb: verb as 'status' | 'watch' | 'explain' | Act };
}
