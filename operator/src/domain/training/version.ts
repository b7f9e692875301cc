/** Base of a model that has no version yet: NextMajor makes 1.0.0, NextMinor 0.1.0, NextPatch 0.0.1. */
const NONE: Triple = [0, 0, 0];

type Triple = readonly [major: number, minor: number, patch: number];

const BUMPS: Readonly<Record<string, (v: Triple) => Triple>> = {
  NextMajor: ([major]) => [major + 1, 0, 0],
  NextMinor: ([major, minor]) => [major, minor + 1, 0],
  NextPatch: ([major, minor, patch]) => [major, minor, patch + 1],
};

const parse = (version: string): Triple => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return [major, minor, patch];
};

/** Order of two versions as numbers, not text: 1.10.0 is newer than 1.9.0. Negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parse(a), parse(b)];
  return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}

/** A version of the model that is spoken for, and by whom ("ModelVersion flights-1.0.0", "TrainingJob nightly"). */
export interface TakenVersion {
  readonly version: string;
  readonly by: string;
  /** It is there; else a job has claimed it, and may still fail. */
  readonly isMade: boolean;
}

export type VersionChoice =
  | { readonly kind: 'free'; readonly version: string }
  | { readonly kind: 'taken'; readonly version: string; readonly by: string }
  | { readonly kind: 'notNewest'; readonly version: string; readonly newest: string };

const newestOf = (taken: readonly TakenVersion[]): string | undefined =>
  taken
    .map(({ version }) => version)
    .sort(compareVersions)
    .at(-1);

/** A version below one that exists would be newer by date and older by number: whoever follows the newest would miss it. */
function chooseNamed(version: string, taken: readonly TakenVersion[]): VersionChoice {
  const holder = taken.find((other) => other.version === version);
  if (holder !== undefined) return { kind: 'taken', version, by: holder.by };
  const newest = newestOf(taken.filter(({ isMade }) => isMade));
  return newest !== undefined && compareVersions(version, newest) < 0
    ? { kind: 'notNewest', version, newest }
    : { kind: 'free', version };
}

/**
 * The version a new job makes: the one it names, or the next over the newest that is taken. A version that an unfinished
 * job has claimed counts as taken, so that two jobs never train the same one.
 */
export function chooseVersion(wanted: string, taken: readonly TakenVersion[]): VersionChoice {
  const bump = BUMPS[wanted];
  if (bump === undefined) return chooseNamed(wanted, taken);
  const newest = newestOf(taken);
  return { kind: 'free', version: bump(newest === undefined ? NONE : parse(newest)).join('.') };
}

/** Why a version can't be made, with what to write instead. */
export const refusalOf = (model: string, choice: Exclude<VersionChoice, { kind: 'free' }>) =>
  choice.kind === 'taken'
    ? {
        reason: 'VersionTaken',
        message: `Version ${choice.version} of ${model} is taken by ${choice.by}: name another version, or NextMinor.`,
      }
    : {
        reason: 'VersionNotNewest',
        message: `Version ${choice.version} of ${model} is lower than ${choice.newest}, its newest: name a higher version, or NextMinor.`,
      };
