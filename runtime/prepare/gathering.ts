import type { Gathering, Peers } from '@slipway/crds/contract';
import { Failure } from '../artifact/failure.ts';

/** What a pod's agent says it is at, or why nothing was heard of it. */
export type Heard = Gathering | { readonly silent: string };

export interface Meeting {
  readonly peers: Peers;
  readonly rank: number;
  readonly timeoutMs: number;
  /** Asks the agent of a rank, its name looked up anew. Never throws. */
  readonly ask: (rank: number) => Promise<Heard>;
  /** Lets this pod's agent tell the others. */
  readonly tell: (gathering: Gathering) => Promise<void>;
  readonly say: (line: string) => void;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * Nobody asks for a name at once: an answer that it does not exist is kept by name servers for up to half a minute
 * (kubernetes#92559), so that the first lookup, if it comes too early, costs more than it saves.
 */
const FIRST_LOOKUP_MS = 1_000;
const LOOK_MS = 500;
const SAY_MS = 10_000;
/** How long pod 0 stays for those that have not heard yet that all are there. */
const FAREWELL_MS = 10_000;
/** Questions at a time: a thousand at once would be a load on the cluster's name server. */
const AT_A_TIME = 32;
const MOST_NAMED = 32;

export const hostOf = ({ names }: Peers, rank: number): string => names.replace('{}', String(rank));

const isSilent = (heard: Heard | undefined): boolean => heard === undefined || 'silent' in heard;

async function askAll(ranks: readonly number[], ask: Meeting['ask']): Promise<ReadonlyMap<number, Heard>> {
  const heard = new Map<number, Heard>();
  for (let from = 0; from < ranks.length; from += AT_A_TIME) {
    const some = ranks.slice(from, from + AT_A_TIME);
    const answers = await Promise.all(some.map(ask));
    some.forEach((rank, i) => {
      heard.set(rank, answers[i] as Heard);
    });
  }
  return heard;
}

function sentence(meeting: Meeting, missing: readonly number[], heard: ReadonlyMap<number, Heard>): string {
  const [first = 0] = missing;
  const silent = heard.get(first);
  const why = silent !== undefined && 'silent' in silent ? silent.silent : 'it has not begun';
  const named = `${missing.slice(0, MOST_NAMED).join(', ')}${missing.length > MOST_NAMED ? ', …' : ''}`;
  const ranks = missing.length === 1 ? `rank ${named}` : `ranks ${named}`;
  return `${ranks} of ${meeting.peers.count} (${hostOf(meeting.peers, first)}: ${why})`;
}

const tooLate = (meeting: Meeting, whom: string): Failure =>
  new Failure(
    'Rendezvous',
    `Not all pods found each other within ${Math.round(meeting.timeoutMs / 1000)} s: missing ${whom}.`,
  );

/** Says something every SAY_MS at most. */
function seldom(meeting: Meeting): (line: () => string) => void {
  let said = meeting.now();
  return (line) => {
    if (meeting.now() - said < SAY_MS) return;
    said = meeting.now();
    meeting.say(line());
  };
}

/**
 * Pod 0: waits until the prepare container of every other rank runs, tells all that they are complete, and stays until
 * they have heard it. Throws Failure Rendezvous naming the missing ranks.
 */
export async function gather(meeting: Meeting): Promise<void> {
  const others = Array.from({ length: meeting.peers.count - 1 }, (_, i) => i + 1);
  const say = seldom(meeting);
  const deadline = meeting.now() + meeting.timeoutMs;
  let missing = others;
  await meeting.tell({ stage: 'Gathering', missing: missing.slice(0, MOST_NAMED) });
  await meeting.pause(FIRST_LOOKUP_MS);
  for (;;) {
    const heard = await askAll(missing, meeting.ask);
    missing = missing.filter((rank) => isSilent(heard.get(rank)));
    if (missing.length === 0) break;
    await meeting.tell({ stage: 'Gathering', missing: missing.slice(0, MOST_NAMED) });
    if (meeting.now() >= deadline) throw tooLate(meeting, sentence(meeting, missing, heard));
    say(() => `waiting for ${sentence(meeting, missing, heard)}`);
    await meeting.pause(LOOK_MS);
  }
  await meeting.tell({ stage: 'Complete', missing: [] });
  await untilHeard(meeting, others);
}

/** One that fell silent after it was there has gone on: its training may be shorter than a look. */
async function untilHeard(meeting: Meeting, others: readonly number[]): Promise<void> {
  const deadline = meeting.now() + FAREWELL_MS;
  let waiting = others;
  while (meeting.now() < deadline) {
    const heard = await askAll(waiting, meeting.ask);
    waiting = waiting.filter((rank) => {
      const said = heard.get(rank);
      return said !== undefined && 'stage' in said && said.stage !== 'Complete';
    });
    if (waiting.length === 0) return;
    await meeting.pause(LOOK_MS);
  }
}

/**
 * Every other pod: waits until pod 0 says that all are there. Time in which pod 0 fetches data sets does not count.
 * Throws Failure Rendezvous naming pod 0, or whom pod 0 misses.
 */
export async function join(meeting: Meeting): Promise<void> {
  const say = seldom(meeting);
  let deadline = meeting.now() + meeting.timeoutMs;
  await meeting.tell({ stage: 'Gathering', missing: [0] });
  await meeting.pause(FIRST_LOOKUP_MS);
  for (;;) {
    const heard = await meeting.ask(0);
    if ('stage' in heard && heard.stage === 'Complete') break;
    if ('stage' in heard && heard.stage === 'Preparing') deadline = meeting.now() + meeting.timeoutMs;
    const whom = whomMissing(meeting, heard);
    if (meeting.now() >= deadline) throw tooLate(meeting, whom);
    say(() => `waiting for ${whom}`);
    await meeting.pause(LOOK_MS);
  }
  await meeting.tell({ stage: 'Complete', missing: [] });
}

function whomMissing(meeting: Meeting, heard: Heard): string {
  if ('silent' in heard) return sentence(meeting, [0], new Map([[0, heard]]));
  if (heard.stage === 'Preparing') return 'pod 0, which fetches data sets';
  return sentence(meeting, heard.missing, new Map([[heard.missing[0] ?? 0, { silent: 'pod 0 does not reach it' }]]));
}
