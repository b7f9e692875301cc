import { type Evidence, evidenceSchema } from '@slipway/crds/contract';

/**
 * No process answers a trillion requests. A count beyond it is a fault of the pod or a lie, and sums over a thousand
 * pods stay whole numbers up to it.
 */
const MOST = 1e12;

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
const isCount = (count: number): boolean => count >= 0 && count <= MOST;

/** Every number of a document lies within bounds, and no part is larger than its whole. */
export function isSound({
  requests,
  latency,
  invalid = 0,
  labels,
  shadow,
  predictions = [],
  batches,
}: Evidence): boolean {
  const { ok, clientError, serverError, shed } = requests;
  const { right = 0, wrong = 0, batches: labelled = { seconds: 0, wrongSquaredOverLabelled: 0 } } = labels ?? {};
  const { compared = 0, disagreed = 0, skipped = 0, failed = 0, segments = {} } = shadow ?? {};
  const counts = [ok, clientError, serverError, shed, right, wrong, compared, skipped, failed, batches.seconds];
  return (
    counts.every(isCount) &&
    isCount(batches.failedSquaredOverServed) &&
    [labelled.seconds, labelled.wrongSquaredOverLabelled].every(isCount) &&
    latency.counts.every(isCount) &&
    predictions.every(({ counts: bins }) => bins.every(isCount)) &&
    sum(latency.counts) <= MOST &&
    invalid <= ok + serverError &&
    disagreed <= compared &&
    Object.values(segments).every((segment) => isCount(segment.compared) && segment.disagreed <= segment.compared)
  );
}

/**
 * The evidence document of a text. undefined where it is none, or contradicts itself: a pod that says that 5 of 3
 * answers disagreed counts as one that said nothing, and a rollout that sees nothing holds.
 */
export function readEvidence(text: string | undefined): Evidence | undefined {
  try {
    const parsed = evidenceSchema.safeParse(JSON.parse(text ?? 'null'));
    return parsed.success && isSound(parsed.data) ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
