import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findBinary } from '@slipway/hack/local-cluster/binaries/find.ts';
import { repositoryRoot } from '@slipway/hack/local-cluster/paths.ts';
import { diagnose } from '../ground/diagnose.ts';
import { type Ground, hack, KUBECONFIG } from '../ground/ground.ts';
import { prepareGround } from '../ground/install.ts';
import { momentLines, teller } from '../ground/timeline.ts';
import type { Row } from '../load/probe.ts';
import { flightRows } from '../load/rows.ts';
import { playFlights } from '../story/flights.ts';
import { complaints, summaryLines } from './summary.ts';

const NAMESPACE = 'flights-demo';
const PER_SECOND = 300;
const ROWS = 20_000;

const { values } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const start = Date.now();
const print = (...lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};
const progress = (line: string): void => {
  process.stderr.write(`          | ${line}\n`);
};
const tell = teller((moment) => print(...momentLines(moment, start)));

async function freshNamespace({ kubectl }: Ground): Promise<void> {
  await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true', '--timeout=90s');
}

async function show(ground: Ground, rows: Promise<Row[]>): Promise<string[]> {
  await freshNamespace(ground);
  const story = await playFlights(
    { ground, namespace: NAMESPACE, tell },
    { host: 'flights.example.com', rows: await rows, perSecond: PER_SECOND },
  );
  print('', `$ kubectl -n ${NAMESPACE} get tj,mv,infs`);
  print(await ground.kubectl('-n', NAMESPACE, 'get', 'tj,mv,infs'), '');
  print(...summaryLines(story, Date.now() - start));
  return complaints(story);
}

async function tellHowToLookAround(): Promise<void> {
  const folders = [join(repositoryRoot, 'bin'), dirname(await findBinary('kubectl', progress))];
  print(
    '',
    'Everything is still up. To look around:',
    `  export KUBECONFIG=${KUBECONFIG}`,
    `  export PATH=${folders.join(':')}:$PATH`,
    `  kubectl -n ${NAMESPACE} get tj,mv,infs,pods`,
    `  kubectl slipway status infs/flights -n ${NAMESPACE}`,
    '  make cluster-down     # takes it all down again',
  );
}

/** Exit status: 0 when every answer outside the bad candidate's share was right. */
async function main(): Promise<number> {
  let ground: Ground | undefined;
  const rows = flightRows(ROWS);
  rows.catch(() => {}); // told where it is awaited
  try {
    ground = await prepareGround(tell, progress);
    const wrong = await show(ground, rows);
    print(...wrong);
    return wrong.length === 0 ? 0 : 1;
  } catch (error) {
    print('', `The demo failed: ${error instanceof Error ? error.message : String(error)}`);
    if (ground !== undefined) print('', await diagnose(ground, NAMESPACE));
    return 1;
  } finally {
    await ground?.close();
    if (values.keep) await tellHowToLookAround();
    else await hack('cluster', ['down'], progress);
  }
}

process.exitCode = await main();
