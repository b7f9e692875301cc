import { parsePercent } from '../src/domain/guards/percent.ts';
import type { RateQuestion } from './rate.ts';
import { UsageError } from './usageError.ts';

const EXAMPLE = 'kubectl slipway rate --bad=20 --total=500 --limit=5%';

interface Flags {
  readonly bad?: string | undefined;
  readonly total?: string | undefined;
  readonly limit?: string | undefined;
  readonly confidence?: string | undefined;
}

function whole(flag: string, text: string | undefined): number {
  if (text === undefined || !/^[0-9]{1,12}$/.test(text)) {
    throw new UsageError(`rate needs --${flag} as a whole number: write ${EXAMPLE}`);
  }
  return Number(text);
}

function limitOf(text: string | undefined): number {
  const share = text === undefined || !/^[0-9]{1,3}(\.[0-9]{1,4})?%$/.test(text) ? Number.NaN : parsePercent(text);
  if (!(share > 0 && share < 1)) throw new UsageError(`rate needs --limit between 0% and 100%: write ${EXAMPLE}`);
  return share;
}

function confidenceOf(text: string): number {
  if (!/^0\.[5-9][0-9]{0,5}$/.test(text)) {
    throw new UsageError(`--confidence must be a decimal from 0.5 to below 1, such as --confidence=0.999`);
  }
  return Number(text);
}

/** The flags of `rate` as a question. Throws UsageError. */
export function readRate({ bad, total, limit, confidence = '0.999' }: Flags, words: readonly string[]): RateQuestion {
  if (words[0] !== undefined) throw new UsageError(`rate takes flags only, not "${words[0]}": write ${EXAMPLE}`);
  const [hits, asked] = [whole('bad', bad), whole('total', total)];
  if (hits > asked) throw new UsageError(`--bad=${hits} is more than --total=${asked}: total counts the bad ones too.`);
  const fail = confidenceOf(confidence);
  return { hits, total: asked, limit: limitOf(limit), confidence: { fail, pass: 0.95 } };
}

/** Whether the answer is wanted as JSON. Throws UsageError on any other format. */
export function readOutput(text: string | undefined): boolean {
  if (text !== undefined && text !== 'json') throw new UsageError(`"${text}" is no output format: write -o json`);
  return text === 'json';
}
