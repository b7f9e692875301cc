/** SIGTERM is how everything is stopped; SIGINT is a person at the terminal, who has no proxies to wait for. */
export type StopSignal = 'SIGTERM' | 'SIGINT';

interface SignalSource {
  on(signal: StopSignal, hear: (signal: StopSignal) => void): unknown;
}

/** The first signal that asks the process to stop. Each one after it means "at once" and is told to `insist`. */
export function firstStopSignal(source: SignalSource, insist: (signal: StopSignal) => void): Promise<StopSignal> {
  const { promise, resolve } = Promise.withResolvers<StopSignal>();
  let asked = false;
  const hear = (signal: StopSignal) => {
    if (asked) insist(signal);
    asked = true;
    resolve(signal);
  };
  source.on('SIGTERM', hear);
  source.on('SIGINT', hear);
  return promise;
}
