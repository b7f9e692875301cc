import type { Socket } from 'node:net';
import { Roster } from '../../roster.ts';
import { LaneConnection, type LaneRules } from './laneConnection.ts';

/** The bounds of a lane. Times are milliseconds. */
export interface LaneTimes {
  readonly sweepMs: number;
  /** Longest time that a kept connection may be idle. */
  readonly keepAliveMs: number;
  /** Longest time that the body of a request may take. */
  readonly bodyMs: number;
}

/**
 * A short way for what nearly all requests are: one plain question to a model at a time. node:http needs more time for
 * one of them than the model, and most of it is for what they do not have (measured: 18 of 29 µs with an empty answer).
 */
export class Lane {
  readonly #connections = new Roster<LaneConnection>();
  readonly #rules: LaneRules;
  readonly #times: LaneTimes;
  readonly #adopt: (socket: Socket) => void;
  #sweep = 0;

  /** `adopt` makes node:http the reader of a connection. */
  constructor(rules: Omit<LaneRules, 'gone' | 'leave' | 'sweep'>, times: LaneTimes, adopt: (socket: Socket) => void) {
    this.#rules = {
      ...rules,
      sweep: () => this.#sweep,
      gone: (connection) => this.#connections.delete(connection),
      leave: (connection, unread) => this.#leave(connection, unread),
    };
    this.#times = times;
    this.#adopt = adopt;
  }

  /** A connection that was accepted just now. */
  take(socket: Socket): void {
    this.#connections.add(new LaneConnection(socket, this.#rules));
  }

  /** To be called every `sweepMs`. */
  sweep(): void {
    this.#sweep += 1;
    for (const connection of this.#connections) this.#look(connection);
  }

  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.socket.destroy();
  }

  closeAll(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  #look(connection: LaneConnection): void {
    const { bodyMs, keepAliveMs, sweepMs } = this.#times;
    const ageMs = connection.age * sweepMs;
    if (connection.isFresh) return void this.#leave(connection, undefined);
    if (connection.isIdle && ageMs > keepAliveMs) connection.socket.destroy();
    else if (connection.isReading && ageMs > bodyMs) this.#tooSlow(connection);
  }

  #tooSlow(connection: LaneConnection): void {
    if (connection.isAnswering) this.#rules.breakOff(connection.socket, 'Late');
    else connection.socket.destroy();
  }

  #leave(connection: LaneConnection, unread: Buffer | undefined): void {
    const { socket } = connection;
    connection.release();
    this.#connections.delete(connection);
    socket.pause();
    this.#adopt(socket);
    if (unread) socket.unshift(unread);
    socket.resume();
  }
}
