/** What the machinery says to a log: pino's shape, fields first. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Record<string, unknown>): Log;
}

export type PassResult = 'settled' | 'again' | 'error' | 'terminal';

/** What the machinery counts. telemetry/metrics.ts exports it to Prometheus. */
export interface Meter {
  /** One answer of the API server; code 0 is a connection that failed. */
  apiCall(verb: string, code: number, seconds: number): void;
  watchRestart(resource: string, why: string): void;
  /** The server was last heard from, for this watch, at this time. */
  heard(resource: string, at: Date): void;
  callbackFailure(resource: string): void;
  queueDepth(controller: string, depth: number): void;
  pass(controller: string, result: PassResult, seconds: number): void;
  leading(leads: boolean): void;
  eventLost(): void;
}

const nothing = (): void => {};
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silentLog };
export const silentMeter: Meter = {
  apiCall: nothing,
  watchRestart: nothing,
  heard: nothing,
  callbackFailure: nothing,
  queueDepth: nothing,
  pass: nothing,
  leading: nothing,
  eventLost: nothing,
};
