import type { FlightsStory } from '../story/flights.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function faultLines({ fault }: FlightsStory): string[] {
  if (fault === undefined) return ['fault to zero traffic      the third version never failed'];
  const { firstFaultAt, lastAnswerAt, failed, answers } = fault;
  return [
    `fault to zero traffic      ${seconds(lastAnswerAt - firstFaultAt)} from its first error to its last answer`,
    `the bad candidate's share  ${failed} of its ${answers} answers failed`,
  ];
}

/** What the answers say, in lines of at most 80 columns. */
export function summaryLines(story: FlightsStory, totalMs: number): string[] {
  const { tally } = story;
  const versions = tally.byVersion.map(
    (v) =>
      `  version ${v.version.padEnd(8)} ${String(v.answers).padStart(6)} answers, Brier score ${v.brier.toFixed(3)} (lower is better)`,
  );
  return [
    `answers                    ${tally.total}`,
    ...versions,
    ...faultLines(story),
    `failed or wrong-version answers outside the bad candidate's share: ${tally.unexcused.length}`,
    `total time                 ${seconds(totalMs)}`,
  ];
}

/** The demo proves its claim or fails. Each sentence is a reason to fail. */
export function complaints({ tally, fault }: FlightsStory): string[] {
  const first = tally.unexcused.slice(0, 5).map((a) => `  ${a.version ?? 'no version'}: ${a.offence}`);
  return [
    ...(tally.unexcused.length === 0
      ? []
      : [`${tally.unexcused.length} answers failed or came from a wrong version:`, ...first]),
    ...(fault === undefined ? ['The third version never failed, so nothing was shown.'] : []),
  ];
}
