import { forbidTelemetry } from '../../../onnx/telemetry.ts';
import { invalidModel, plain } from '../modelFailure.ts';
import type { FromChild, ToChild } from './messages.ts';
import type { StockSession } from './stockSession.ts';

/**
 * The life of a process that runs one model for its parent: opens it, answers runs one after the other, and ends when
 * it is told to or when the parent is gone. The process must have been forked with 'advanced' serialization.
 */
export async function childMain(): Promise<void> {
  forbidTelemetry();
  const { openStock } = await import('./stockSession.ts');
  let session: StockSession | undefined;
  let latest: Promise<void> = Promise.resolve();

  const obey = async (order: ToChild): Promise<void> => {
    if (order.kind === 'run') say(await answer(session as StockSession, order));
    else if (order.kind === 'close') {
      await session?.release();
      process.disconnect();
    } else {
      try {
        session = await openStock(order.model, (sentence) => say({ kind: 'log', sentence }));
        say({ kind: 'opened', signature: session.signature, providers: session.providers });
      } catch (error) {
        const { reason, message } = invalidModel(error);
        say({ kind: 'refused', reason, message });
      }
    }
  };
  process.on('message', (order: ToChild) => {
    latest = latest.then(() => obey(order));
  });
  await new Promise<void>((resolve) => process.once('disconnect', resolve));
  process.exit();
}

const say = (message: FromChild): void => {
  if (process.connected) process.send?.(message);
};

async function answer(session: StockSession, order: Extract<ToChild, { kind: 'run' }>): Promise<FromChild> {
  try {
    return { kind: 'answer', outputs: await session.run(order.inputs, order.outputs) };
  } catch (error) {
    return { kind: 'failed', message: plain(error) };
  }
}
