/** One request of the probe and what came back. Times are milliseconds of one clock. */
export interface Answer {
  readonly sentAt: number;
  readonly answeredAt: number;
  /** HTTP status; undefined when no answer came (reset, refused, timed out). */
  readonly status: number | undefined;
  /** What the slipway-model-version header said; undefined when no model server answered. */
  readonly version: string | undefined;
  /** Whether a 2xx body was what was asked for: its own version right, one probability in [0, 1] a row. */
  readonly sound: boolean;
  /** Squared distance of the probability to what turned out true (0 or 1); undefined when the answer was not sound. */
  readonly squaredError: number | undefined;
  /** What was wrong, for people. Empty when nothing was. */
  readonly why: string;
}

/** From `from` on, exactly these versions may answer. */
export interface Allowance {
  readonly from: number;
  readonly versions: readonly string[];
}

export interface VersionTally {
  readonly version: string;
  readonly answers: number;
  readonly failed: number;
  /** Brier score of its sound answers: mean squared error of the probability, lower is better. NaN without any. */
  readonly brier: number;
}
export interface Tally {
  readonly total: number;
  readonly byVersion: readonly VersionTally[];
  /** Failed or wrong-version answers that no allowed, suspected version explains. Must be empty. */
  readonly unexcused: readonly (Answer & { readonly offence: string })[];
}

/**
 * A request overlaps every allowance in force between sending and answer: one that was under way while the split
 * changed may be answered by either side.
 */
function allowedDuring(answer: Answer, allowances: readonly Allowance[]): ReadonlySet<string> {
  const allowed = new Set<string>();
  allowances.forEach(({ from, versions }, i) => {
    const until = allowances[i + 1]?.from ?? Number.POSITIVE_INFINITY;
    if (from <= answer.answeredAt && until >= answer.sentAt) for (const v of versions) allowed.add(v);
  });
  return allowed;
}

function offenceOf(
  answer: Answer,
  allowances: readonly Allowance[],
  suspects: ReadonlySet<string>,
): string | undefined {
  const { version, status, sound } = answer;
  if (version !== undefined && !allowedDuring(answer, allowances).has(version)) {
    return `version ${version} answered out of its turn`;
  }
  if (version !== undefined && suspects.has(version)) return undefined;
  if (status === undefined || status >= 300) return answer.why || `status ${status}`;
  return sound ? undefined : answer.why;
}

function tallyVersion(version: string, answers: readonly Answer[]): VersionTally {
  const own = answers.filter((a) => a.version === version);
  const sound = own.filter((a) => a.sound);
  return {
    version,
    answers: own.length,
    failed: own.length - sound.length,
    brier: sound.reduce((sum, a) => sum + (a.squaredError ?? 0), 0) / sound.length,
  };
}

/** `suspects`: versions whose own failures are the story (the bad candidate's share), while they are allowed at all. */
export function tally(
  answers: readonly Answer[],
  allowances: readonly Allowance[],
  suspects: readonly string[],
): Tally {
  const known = new Set(suspects);
  const versions = [...new Set(answers.map((a) => a.version).filter((v) => v !== undefined))].sort();
  return {
    total: answers.length,
    byVersion: versions.map((v) => tallyVersion(v, answers)),
    unexcused: answers.flatMap((answer) => {
      const offence = offenceOf(answer, allowances, known);
      return offence === undefined ? [] : [{ ...answer, offence }];
    }),
  };
}

export interface Fault {
  /** When its first server error reached the caller. */
  readonly firstFaultAt: number;
  /** When its last answer of any kind reached the caller. */
  readonly lastAnswerAt: number;
  readonly answers: number;
  readonly failed: number;
}

/** The life of a bad version as callers saw it; undefined when it never failed. */
export function faultOf(answers: readonly Answer[], version: string): Fault | undefined {
  const own = answers.filter((a) => a.version === version);
  const faults = own.filter((a) => (a.status ?? 0) >= 500);
  if (faults.length === 0) return undefined;
  return {
    firstFaultAt: Math.min(...faults.map((a) => a.answeredAt)),
    lastAnswerAt: Math.max(...own.map((a) => a.answeredAt)),
    answers: own.length,
    failed: faults.length,
  };
}
