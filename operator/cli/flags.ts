import { parseArgs } from 'node:util';
import { UsageError } from './usageError.ts';

const TEXT = { type: 'string' } as const;
const OPTIONS = {
  namespace: { type: 'string', short: 'n' },
  kubeconfig: TEXT,
  context: TEXT,
  for: TEXT,
  timeout: TEXT,
  revision: TEXT,
  comment: TEXT,
  bad: TEXT,
  total: TEXT,
  limit: TEXT,
  confidence: TEXT,
  output: { type: 'string', short: 'o' },
  filename: { type: 'string', short: 'f' },
  rps: TEXT,
  errors: TEXT,
  slow: TEXT,
  invalid: TEXT,
  disagree: TEXT,
  wrong: TEXT,
  runs: TEXT,
  most: TEXT,
  from: TEXT,
  prometheus: TEXT,
  since: TEXT,
  interval: TEXT,
  candidate: TEXT,
  record: TEXT,
  stage: TEXT,
  html: { type: 'boolean' },
  md: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;
type Flag = keyof typeof OPTIONS;

const EVERYWHERE: readonly string[] = ['namespace', 'kubeconfig', 'context', 'help', 'version'];

/** What each verb reads beside the flags of all. One that is not listed reads nothing more. */
const OF_VERB: Readonly<Record<string, readonly Flag[]>> = {
  wait: ['for', 'timeout'],
  approve: ['comment', 'stage'],
  promote: ['stage'],
  retry: ['revision'],
  card: ['html', 'md'],
  verify: ['timeout'],
  plan: ['filename', 'rps'],
  rate: ['bad', 'total', 'limit', 'confidence', 'output'],
  rehearse: [
    ...(['filename', 'rps', 'output', 'errors', 'slow', 'invalid', 'disagree', 'wrong', 'runs', 'most'] as const),
    ...(['from', 'prometheus', 'since', 'interval', 'candidate', 'record'] as const),
  ],
};

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('.')[0] : String(error);
    throw new UsageError(`${why}: run kubectl slipway --help to see the flags.`);
  }
}

/**
 * The flags and words after `kubectl slipway`. A flag that the verb does not read is refused: left alone, `-o json`
 * would print text to whoever parses it. Throws UsageError.
 */
export function readFlags(argv: readonly string[]) {
  const { values, positionals } = parsed(argv);
  const [verb = ''] = positionals;
  const read = OF_VERB[verb] ?? [];
  const odd = Object.keys(values).find((flag) => !EVERYWHERE.includes(flag) && !read.includes(flag as Flag));
  return { values, positionals, odd: odd === undefined ? undefined : strange(verb, odd, read) };
}

function strange(verb: string, flag: string, read: readonly Flag[]): string {
  const known = [...read, ...EVERYWHERE.slice(0, 3)].map((name) => `--${name}`).join(', ');
  const fields = flag === 'output' ? '; kubectl get -o json has every field' : '';
  return `${verb} does not read --${flag}: it reads ${known}${fields}.`;
}
