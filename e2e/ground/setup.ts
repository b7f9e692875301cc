import { prepareGround } from './install.ts';
import { momentLines, teller } from './timeline.ts';

async function prepare(): Promise<void> {
  const start = Date.now();
  const print = (line: string): void => console.error(line);
  const tell = teller((moment) => momentLines(moment, start).forEach(print));
  const ground = await prepareGround(tell, () => {});
  await ground.close();
}

/** Each project of a run loads this file for itself, and one cluster serves them all. */
const ONCE = Symbol.for('slipway.dev/e2e/ground');
const shared = globalThis as { [ONCE]?: Promise<void> };

/** vitest global setup: the cluster with our images and the operator in it, once for the whole run. */
export default function setup(): Promise<void> {
  shared[ONCE] ??= prepare();
  return shared[ONCE];
}
