import fc from 'fast-check';
import { revisionFor, versionOf } from '../builders.ts';
import type { World } from '../world.ts';
import type { Cluster, Fate } from './cluster.ts';
import type { Quality } from './counters.ts';
import type { GatewayMood } from './dataPlane.ts';

type Rollout = World['spec']['rollout'];

/** Something that happens to a service, and how it is told. */
export interface Act {
  readonly told: string;
  readonly run: (cluster: Cluster) => void;
}
const act = (told: string, run: Act['run']): Act => ({ told, run });

export const STEPS: Readonly<Record<string, Rollout['steps']>> = {
  'all at once': [{ weight: 100 }],
  canary: [{ weight: 5 }, { weight: 50 }, { weight: 100 }],
  'shadow, then canary': [{ shadow: 100 }, { approval: true }, { weight: 10, for: '20s' }, { weight: 100 }],
  'blue/green': [{ preview: true, for: '10s' }, { weight: 100 }],
  'canary with approval': [{ weight: 25 }, { approval: true }, { weight: 100 }],
  'canary with approval of two': [{ weight: 25 }, { approval: true, people: 2 }, { weight: 100 }],
  halves: [{ weight: 50 }, { weight: 100 }],
};
export const GUARDS: Readonly<Record<string, Rollout['guards']>> = {
  'no guard': undefined,
  errors: [{ name: 'errors', errors: { max: '5%' } }],
  'errors worse than stable': [{ name: 'worse', errors: { worseBy: '5%' } }],
};

const rolloutOf = (cluster: Cluster): string => cluster.latest.status.rolloutID ?? 'r-0';
const editRollout = (cluster: Cluster, change: Partial<Rollout>): void =>
  cluster.edit(({ spec, generation }) => ({
    spec: { ...spec, rollout: { ...spec.rollout, ...change } },
    generation: generation + 1,
  }));

const person = (what: keyof World['asked'], value: (c: Cluster) => string): Act =>
  act(`a person asks to ${what}`, (c) => c.edit(({ asked }) => ({ asked: { ...asked, [what]: value(c) } })));
const peopleRest = act('people take their annotations back', (c) => c.edit(() => ({ asked: {} })));
export const approve = act('a person approves the step', (c) =>
  c.edit(({ spec, status }) => {
    const { step = 0, digest = versionOf(1).digest } = status.candidate ?? {};
    const approvals = spec.approvals ?? [];
    const isNext = (a: (typeof approvals)[number]): boolean => a.rolloutID === rolloutOf(c) && a.step === step;
    const by = approvals.some((a) => isNext(a) && a.by === 'ada') ? 'grace' : 'ada';
    const approval = { rolloutID: rolloutOf(c), step, digest, by, at: '2030-01-01T12:00:00Z' };
    return { spec: { ...spec, approvals: [...approvals, approval] } };
  }),
);

const turns = (minor: number, quality: Quality): Act =>
  act(`answers of 1.${minor}.0 turn ${quality.toLowerCase()}`, (c) => {
    c.quality[minor] = quality;
  });
const becomes = (state: World['target']['state']): Act =>
  act(`the ModelVersion wanted becomes ${state}`, (c) => {
    c.targets[c.latest.wanted] = state;
  });
const allReady = act('every ModelVersion is Ready', (c) => {
  c.targets = {};
});
const loses = (minor: number, all: boolean): Act =>
  act(`1.${minor}.0 loses ${all ? 'all its pods' : 'a pod'}`, (c) => {
    const pods = c.pods.get(revisionFor(minor));
    if (pods !== undefined) pods.ready = all ? 0 : Math.max(0, pods.ready - 1);
  });
const dies = (minor: number): Act =>
  act(`pods of 1.${minor}.0 crash again and again`, (c) => {
    const pods = c.pods.get(revisionFor(minor));
    if (pods !== undefined) Object.assign(pods, { ready: 0, fatal: true });
  });
const set = <K extends 'requestsPerSecond' | 'canBeRead' | 'endpointsLag' | 'staleness'>(
  told: string,
  key: K,
  value: Cluster[K],
): Act =>
  act(told, (c) => {
    (c as Pick<Cluster, K>)[key] = value;
  });
const fate = (next: Fate): Act =>
  act(`the next pass: ${next}`, (c) => {
    c.fate = next;
  });
const mood = (next: GatewayMood): Act =>
  act(`the gateway is ${next.toLowerCase()}`, (c) => {
    c.plane.mood = next;
    if (next === 'Prompt') c.plane.catchUp();
  });
const elapse = (seconds: number): Act => act(`${seconds} s pass`, (c) => c.elapse(seconds));
const podsUp = act('pods come up', (c) => c.settlePods());

const QUIET: readonly Act[] = [elapse(1), elapse(5), elapse(12), elapse(12), podsUp, podsUp];

const next = act('the spec asks for another version', (c) =>
  c.edit(({ wanted, generation }) => ({ wanted: (wanted + 1) % 3, generation: generation + 1 })),
);
const reverts = act('the spec asks for the stable version', (c) =>
  c.edit(({ status, generation }) => ({
    wanted: Number(status.stable?.revision.slice(-1)),
    generation: generation + 1,
  })),
);
const undoes = person('rollback', (c) => c.latest.status.stable?.rolloutID ?? 'r-0');

const windowOpens = act('the window opens', (c) => editRollout(c, { window: { timeZone: 'UTC' } }));

const GO_ON: readonly Act[] = [approve, approve, peopleRest, next, next];
const PEOPLE: readonly Act[] = [
  reverts,
  person('pause', () => 'true'),
  person('promote', rolloutOf),
  person('promote', rolloutOf),
  person('abort', rolloutOf),
  undoes,
  undoes,
  undoes,
  person('rollback', rolloutOf),
  person('retry', (c) => c.latest.status.rejected?.at(-1)?.revision ?? ''),
  ...Object.entries(STEPS).map(([name, steps]) => act(`steps become: ${name}`, (c) => editRollout(c, { steps }))),
  ...Object.entries(GUARDS).map(([name, guards]) => act(`guards become: ${name}`, (c) => editRollout(c, { guards }))),
  act('the window closes', (c) => editRollout(c, { window: { timeZone: 'UTC', hours: '22:00-23:00' } })),
  windowOpens,
  windowOpens,
  act('onFail becomes Hold', (c) => editRollout(c, { onFail: 'Hold' })),
  act('onFail becomes RollBack', (c) => editRollout(c, { onFail: 'RollBack' })),
];

const FAULTS: readonly Act[] = [
  turns(1, 'Bad'),
  turns(1, 'Doubtful'),
  turns(1, 'Good'),
  turns(2, 'Good'),
  set('many call the service again', 'requestsPerSecond', 200),
  set('pods can be read again', 'canBeRead', true),
  turns(2, 'Bad'),
  turns(2, 'Doubtful'),
  turns(0, 'Bad'),
  turns(0, 'Good'),
  becomes('Pending'),
  becomes('Refused'),
  becomes('Missing'),
  allReady,
  allReady,
  allReady,
  loses(0, false),
  loses(1, false),
  loses(1, true),
  dies(1),
  set('nobody calls the service', 'requestsPerSecond', 0),
  set('few call the service', 'requestsPerSecond', 1),
  set('some call the service', 'requestsPerSecond', 20),
  set('many call the service', 'requestsPerSecond', 200),
  set('pods can not be read', 'canBeRead', false),
  set('pods can be read', 'canBeRead', true),
  set('Services lag behind pods', 'endpointsLag', true),
  set('Services know their pods', 'endpointsLag', false),
  set('the cache shows an older object', 'staleness', 2),
  set('the cache is fresh', 'staleness', 0),
  act('the watches are lost', (c) => {
    c.frozen ??= { ...c.facts(), writes: c.plane.writes };
  }),
  act('the watches are back', (c) => {
    c.frozen = undefined;
  }),
  act('the operator restarts', (c) => c.restart()),
  fate('DiesBeforeRoute'),
  fate('DiesAfterRoute'),
  fate('DiesAmongPods'),
  fate('DiesBeforeStatus'),
  fate('StatusRefused'),
  mood('Slow'),
  mood('Refusing'),
  mood('Prompt'),
  act('the gateway catches up', (c) => c.plane.catchUp()),
  act('the clock jumps an hour ahead', (c) => {
    c.now += 3_600_000;
  }),
  act('the clock jumps an hour back', (c) => {
    c.now -= 3_600_000;
  }),
];

/** Mostly time passes and pods come up, or no rollout would get anywhere. */
export const acts = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...QUIET) },
  { weight: 3, arbitrary: fc.constantFrom(...GO_ON) },
  { weight: 2, arbitrary: fc.constantFrom(...PEOPLE) },
  { weight: 3, arbitrary: fc.constantFrom(...FAULTS) },
);
