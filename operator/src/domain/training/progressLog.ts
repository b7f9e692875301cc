import { NON_FINITE, type Progress } from '@slipway/crds/contract';

const STEP = ['step', 'global_step', 'current_step', 'iteration', 'iter'];
const TOTAL = ['total', 'total_steps', 'max_steps', 'num_steps'];
const EPOCH = ['epoch', 'current_epoch'];
/** Counted, and so no metrics. */
const COUNTS = new Set([...STEP, ...TOTAL, ...EPOCH]);

const MOST_METRICS = 32;
const LONGEST_NAME = 64;
const LONGEST_LINE = 4096;

type Value = number | (typeof NON_FINITE)[number];

/** name=value and name: value where the name is quoted, as Python prints a dict; values as Katib's collector takes them. */
const PAIR =
  /(?:([A-Za-z_][\w.|/-]*)\s*=|['"]([A-Za-z_][\w.|/-]*)['"]\s*:)\s*['"]?([+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|nan|inf(?:inity)?))(?![\w.%])/gi;

const WORDS: Readonly<Record<string, (typeof NON_FINITE)[number]>> = {
  nan: 'NaN',
  inf: 'Infinity',
  infinity: 'Infinity',
};

function valueOfText(text: string): Value {
  const word = WORDS[text.toLowerCase().replace(/^[+-]/, '')];
  if (word === undefined) return Number(text);
  return text.startsWith('-') && word === 'Infinity' ? '-Infinity' : word;
}

function pairsOf(line: string): Map<string, Value> {
  const pairs = new Map<string, Value>();
  for (const [, plain, quoted, value] of line.slice(0, LONGEST_LINE).matchAll(PAIR)) {
    const name = plain ?? quoted ?? '';
    if (name.length <= LONGEST_NAME) pairs.set(name, valueOfText(value ?? ''));
  }
  return pairs;
}

/** Numbers of a JSON line, those of an object `metrics` in it too. */
function pairsOfJson(line: string): Map<string, Value> | undefined {
  if (!line.startsWith('{')) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  const flat = { ...(json as Record<string, unknown>) };
  const inner = flat['metrics'];
  const all = { ...flat, ...(typeof inner === 'object' && inner !== null ? inner : {}) };
  return new Map(
    Object.entries(all).filter(
      (entry): entry is [string, Value] =>
        entry[0].length <= LONGEST_NAME &&
        (typeof entry[1] === 'number' || (NON_FINITE as readonly unknown[]).includes(entry[1])),
    ),
  );
}

const countIn = (pairs: ReadonlyMap<string, Value>, names: readonly string[]): number | undefined =>
  names
    .map((name) => pairs.get(name))
    .filter((value) => typeof value === 'number' && Number.isFinite(value) && value >= 0)
    .map((value) => Math.floor(Number(value)))
    .at(0);

function metricsIn(pairs: ReadonlyMap<string, Value>): Pick<Progress, 'metrics' | 'nonFinite'> {
  const kept = [...pairs]
    .filter(([name]) => !COUNTS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, MOST_METRICS);
  const numbers = kept.filter((pair): pair is [string, number] => typeof pair[1] === 'number');
  const words = kept.filter((pair): pair is [string, (typeof NON_FINITE)[number]] => typeof pair[1] === 'string');
  return {
    ...(numbers.length === 0 ? {} : { metrics: Object.fromEntries(numbers) }),
    ...(words.length === 0 ? {} : { nonFinite: Object.fromEntries(words) }),
  };
}

/**
 * What the last lines of a trainer's log say of its progress: JSON lines, `name=value` (Katib's format), or a dict that
 * Python printed. Later lines win, name by name. A log that names no step counts as step 0 of something with metrics.
 * Undefined where nothing of the kind stands.
 */
export function progressInLog(log: string): Progress | undefined {
  const seen = new Map<string, Value>();
  for (const line of log.split('\n')) {
    for (const [name, value] of pairsOfJson(line.trim()) ?? pairsOf(line)) {
      seen.delete(name);
      seen.set(name, value);
    }
  }
  const [step, total, epoch] = [STEP, TOTAL, EPOCH].map((names) => countIn(seen, names));
  const metrics = metricsIn(seen);
  if (step === undefined && metrics.metrics === undefined && metrics.nonFinite === undefined) return undefined;
  return {
    step: step ?? 0,
    ...(total === undefined ? {} : { total }),
    ...(epoch === undefined ? {} : { epoch }),
    ...metrics,
    source: 'Log',
  };
}
