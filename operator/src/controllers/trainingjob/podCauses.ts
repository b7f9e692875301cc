import type { Pod } from '../../api/builtin.ts';
import type { Cause } from '../../domain/training/cause.ts';
import { causeOf } from '../../domain/training/classify.ts';
import { failuresOf, type PodFailure, terminated } from '../../domain/workload/podEnd.ts';
import { AGENT_CONTAINER } from '../../render/trainingAgent.ts';
import { TRAIN_CONTAINER } from '../../render/trainingJob.ts';
import { PREPARE_CONTAINER } from '../../render/trainingPrepare.ts';

/** What torchelastic wrote of the rank that failed first: the agent passes it on in its own last words. */
function elasticError(pod: Pod): string | undefined {
  try {
    const { error } = JSON.parse(terminated(pod, AGENT_CONTAINER)?.message ?? '{}') as { error?: unknown };
    return typeof error === 'string' && error !== '' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** The words of the rank say more than those of its launcher, which end in the launcher's own traceback. */
function withElasticError(failure: PodFailure, pods: readonly Pod[]): PodFailure {
  const pod = pods.find(({ metadata }) => metadata.name === failure.pod);
  const error = pod && elasticError(pod);
  return error === undefined ? failure : { ...failure, message: error, text: `${error}\n${failure.text}` };
}

/** Why these pods of a gang failed; undefined: none of them did. */
export const failureCause = (pods: readonly Pod[]): Cause | undefined =>
  causeOf(
    failuresOf(pods, PREPARE_CONTAINER, TRAIN_CONTAINER).map((failure) => withElasticError(failure, pods)),
    PREPARE_CONTAINER,
  );
