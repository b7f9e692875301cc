import { prepareGround } from '../ground/install.ts';
import { momentLines, teller } from '../ground/timeline.ts';

/** vitest global setup: the cluster with our images and the operator in it, once for the whole run. */
export default async function setup(): Promise<void> {
  const start = Date.now();
  const print = (line: string): void => console.error(line);
  const tell = teller((moment) => momentLines(moment, start).forEach(print));
  const ground = await prepareGround(tell, () => {});
  await ground.close();
}
