import { parentPort, workerData } from 'node:worker_threads';
import { Failure, sentenceOf } from '../artifact/failure.ts';
import { replayGolden } from './golden.ts';
import { openSession, type Session } from './session.ts';
import { agreedSignature } from './signature.ts';
import { type FromWorker, movable, type ToWorker, type WorkerModel } from './workerMessages.ts';

/** Body of an engine thread: load, replay the golden requests, then run what is sent until told to close. */
export async function work(): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error('work() belongs in a worker thread');
  const say = (message: FromWorker, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);
  try {
    const { files, threads } = workerData as WorkerModel;
    const session = await openSession(files.path, threads);
    const signature = agreedSignature(files.signature, session.signature);
    await replayGolden(files.golden, signature, session.run);
    port.on('message', (message: ToWorker) => void obey(message, session, say).then((done) => done && port.close()));
    say({ kind: 'loaded', signature });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say({ kind: 'refused', reason: error.reason, message: error.message });
  }
}

type Say = (message: FromWorker, moved?: ArrayBuffer[]) => void;

/** Resolves to whether this was the last message. */
async function obey(message: ToWorker, session: Session, say: Say): Promise<boolean> {
  if (message.kind === 'close') {
    await session.release();
    return true;
  }
  try {
    const outputs = await session.run(message.inputs, message.outputs);
    say({ kind: 'answer', outputs }, movable(outputs));
  } catch (error) {
    say({ kind: 'failed', message: sentenceOf(error) });
  }
  return false;
}
