import type { InferenceServiceSpec } from '@slipway/crds';
import { percentText } from '../../src/domain/guards/percent.ts';
import { COLUMNS, field, span, table, wrap } from '../render/text.ts';
import { between, ends, stepLines } from './lines.ts';
import type { Replay, Replayed, Traffic } from './replayed.ts';

type Rollout = InferenceServiceSpec['rollout'];

const shareText = (share: number | undefined): string =>
  share === undefined ? 'asked nothing' : `${percentText(share)} failed`;

function trafficLines(traffic: Traffic): string[] {
  const { from, until, intervals, requests, perSecond, stableFailed, candidateFailed } = traffic;
  const arms =
    candidateFailed === undefined
      ? shareText(stableFailed)
      : `stable ${shareText(stableFailed)}, candidate ${shareText(candidateFailed)}`;
  return [
    `Recorded from ${from.slice(0, 19)}Z to ${until.slice(0, 19)}Z`,
    ...field(
      'traffic',
      `${requests} requests in ${intervals} intervals, ${Number(perSecond.toPrecision(3))}/s; ${arms}`,
    ),
  ];
}

const when = ({ failsAfterSeconds, verdict }: Replayed): string =>
  failsAfterSeconds === null ? `never (${verdict} at the end)` : `after ${span(failsAfterSeconds)}`;

/** A bound of a trillionth is none. */
const bound = (text: string): string => (text.includes('e-') ? '0%' : text);

function guardLines(asRecorded: readonly Replayed[]): string[] {
  if (asRecorded.length === 0) return ['  no guard of the policy asks what a record tells'];
  const rows = asRecorded.map((one) => [
    one.name,
    when(one),
    one.rate,
    `${bound(one.low)}..${bound(one.high)}`,
    one.limit,
    String(one.n),
  ]);
  return table([['GUARD', 'FAILS', 'RATE', 'BOUNDS', 'LIMIT', 'N'], ...rows], 2);
}

function resampledLines(rollout: Rollout, replayed: NonNullable<Replay['resampled']>): string[] {
  const { runs, rolledBack, falseRollbacks, blockSeconds, promoted, guard } = replayed;
  const intro = `${runs} rollouts of a candidate as good as the stable version was, each under this traffic in blocks of ${span(blockSeconds)} from anywhere in the record:`;
  const low = rolledBack === 0 ? 'up' : percentText(falseRollbacks.low);
  const bounds = `${low} to ${percentText(falseRollbacks.high)}`;
  return [
    ...wrap(intro, COLUMNS),
    ...field('ends', ends(replayed)),
    ...field('false', `${rolledBack} of ${runs} rolled back by mistake: ${bounds} of all, 95% sure`),
    ...(promoted === 0 ? field('waits for', `guard ${guard ?? '?'}`) : field('takes', between(replayed.toPromotion))),
    ...stepLines(rollout, replayed),
  ];
}

/** A replay, in lines of at most 80 columns. */
export function replayLines(rollout: Rollout, { traffic, asRecorded, resampled, leftOut }: Replay): string[] {
  const whose =
    traffic.candidateFailed === undefined
      ? 'Taken for a candidate with all the traffic, each guard:'
      : 'The candidate of the record, each guard:';
  return [
    ...trafficLines(traffic),
    '',
    whose,
    ...guardLines(asRecorded),
    ...(resampled === undefined ? [] : ['', ...resampledLines(rollout, resampled)]),
    ...leftOut.flatMap(({ name, why }) => field('left out', `${name}: ${why}`)),
  ];
}
