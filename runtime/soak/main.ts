/**
 * A hundred reloads and a million requests against one server: every request is answered, and resident memory at the end
 * is what it was near the beginning, 5 % more at most. Takes minutes; gives up after ten. Prints a table and ends with 1
 * when a bound is broken.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeModel } from '../onnx/model.ts';
import { mlp } from '../test/artifacts.ts';
import { startFolder } from '../test/serverProcess.ts';
import { temporaryFolder } from '../test/temporaryFolder.ts';
import { load } from './load.ts';
import { drift, residentMiB } from './memory.ts';

const RELOADS = 100;
const REQUESTS = 1_000_000;
const CONNECTIONS = 32;
const MOST_DRIFT = 0.05;
const MOST_MINUTES = 10;
/** Two million weights, 8 MiB: one version that is not given back shows. */
const WIDTHS = [64, 1024, 1024, 1024, 8];

const root = await temporaryFolder('soak');
await mkdir(join(root, 'mlp'));
await writeFile(join(root, 'mlp', 'model.onnx'), encodeModel(mlp(WIDTHS)));
const body = JSON.stringify({
  inputs: [{ name: 'v0', datatype: 'FP32', shape: [1, WIDTHS[0]], data: new Array(WIDTHS[0]).fill(0.5) }],
});
const server = await startFolder(root, { repository: 'Explicit' });
const deadline = Date.now() + MOST_MINUTES * 60_000;
// A server that hangs would be waited for without end: without it every request under way fails.
const gaveUp = setTimeout(
  () => {
    console.error(`gave up after ${MOST_MINUTES} minutes: the server no longer answers`);
    void server.kill();
  },
  (MOST_MINUTES + 1) * 60_000,
);
try {
  await server.logged('ready');
  const { rest } = await server.logged('listening');
  const pid = server.child.pid as number;
  const samples: number[] = [];
  let answered = 0;
  let faults = 0;
  for (let reload = 0; reload < RELOADS && Date.now() < deadline; reload += 1) {
    const asking = load(Number(rest), '/v2/models/mlp/infer', body, CONNECTIONS, REQUESTS / RELOADS);
    const reloaded = await server.fetch('rest', '/v2/repository/models/mlp/load', { method: 'POST' });
    const result = await asking;
    answered += result.answered;
    for (const [status, times] of result.others) {
      faults += times;
      console.error(`${times} answers were ${status}`);
    }
    if (!reloaded.ok) throw new Error(`reload ${reload + 1}: ${await reloaded.text()}`);
    samples.push(await residentMiB(pid));
  }
  const share = drift(samples);
  const shown = samples
    .filter((_, i) => i % 10 === 9)
    .map((mib, i) => ({ reloads: (i + 1) * 10, MiB: Math.round(mib) }));
  console.table(shown);
  console.log(
    `${samples.length} reloads, ${answered} requests, ${faults} not answered; memory drifted ${(share * 100).toFixed(1)} %`,
  );
  const whole = samples.length === RELOADS && answered >= REQUESTS && faults === 0;
  if (!whole || Math.abs(share) > MOST_DRIFT) process.exitCode = 1;
} finally {
  clearTimeout(gaveUp);
  await server.kill();
  await rm(root, { recursive: true, force: true });
}
