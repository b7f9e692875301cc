import { network } from './settings.ts';

const OURS = [network.nodeRange, network.serviceRange, network.podRange];

/** A wider route is a catch-all, such as a company's 10.0.0.0/8: ours are a corner of it that nobody lives in. */
const WIDEST = 12;

/** First and last address of a range such as 10.0.0.0/8; an address alone is a range of one. */
function bounds(range: string): readonly [number, number] | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(range);
  if (match === null) return undefined;
  const first = match.slice(1, 5).reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return [first, first + 2 ** (32 - Number(match[5] ?? 32)) - 1];
}

function overlap(one: string, other: string): boolean {
  const [a, b] = [bounds(one), bounds(other)];
  return a !== undefined && b !== undefined && a[0] <= b[1] && b[0] <= a[1];
}

/** The first of the cluster's ranges that a route of the machine leads into, from `ip -4 route show`. */
export function takenRange(routes: string): { readonly range: string; readonly route: string } | undefined {
  for (const line of routes.split('\n')) {
    // A line of `unreachable` starts with that word and so names no range: it is in nobody's use.
    const [target = '', word, device] = line.trim().split(' ');
    const isCatchAll = Number(target.split('/')[1] ?? 32) < WIDEST;
    const range = isCatchAll ? undefined : OURS.find((each) => overlap(each, target));
    if (range !== undefined) return { range, route: `${target} ${word} ${device}` };
  }
  return undefined;
}
