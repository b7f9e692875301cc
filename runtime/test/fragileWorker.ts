import { parentPort } from 'node:worker_threads';
import type { FromWorker, ToWorker } from '../server/workerMessages.ts';

/** An engine thread without a model: answers its input, ends its thread on -1 and throws outside of any answer on -2. */
const say = (message: FromWorker) => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToWorker) => {
  if (message.kind === 'close') return parentPort?.close();
  const first = message.inputs[0]?.elements[0];
  if (first === -1) process.exit(3);
  if (first === -2) throw new Error('the thread fell over');
  say({ kind: 'answer', outputs: message.inputs });
});
say({ kind: 'loaded', signature: { inputs: [], outputs: [] } });
