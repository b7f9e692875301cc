import type { ShadowEvidence, ShadowOrder, Signature } from '@slipway/crds/contract';
import type { ServingSettings } from '@slipway/crds/serving';
import type { TensorValue } from '../../tensor.ts';
import { type Features, type Location, locate, rowsOf, valueAt } from '../features.ts';
import { bytesIn, floatsOf, isFloat } from '../floats.ts';
import { hashOfInputs } from '../keyedHash.ts';
import { Courier, NoAnswer } from './courier.ts';
import { disagreements, misfit } from './judge.ts';
import { Tally } from './tally.ts';

/** A live request and its answer, in memory that nobody writes to. */
export interface Copy {
  readonly id: string | undefined;
  readonly traceparent: string | undefined;
  readonly inputs: readonly TensorValue[];
  readonly outputs: readonly TensorValue[];
}

/** What the comparison must know of the live model. */
export interface ShadowedModel {
  readonly name: string;
  readonly signature: Signature;
  readonly features: Features;
  readonly classes: number | undefined;
}

export interface ShadowDependencies {
  readonly settings: ServingSettings['shadow'];
  /** Key of the hashes that stand for inputs in the examples. */
  readonly hashKey: Uint8Array;
  /** Told how many copies may be under way from now on. */
  readonly allow: (copies: number) => void;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** An order while it runs. */
interface Running {
  readonly order: ShadowOrder;
  readonly courier: Courier;
  readonly tally: Tally;
  readonly segment: Location | undefined;
  expiresAt: number;
}

interface Waiting {
  readonly copy: Copy;
  /** By when it must have been sent: an old request says little, and holds memory. */
  readonly deadline: number;
  /** Told once, when the copy is no longer held. */
  readonly released: () => void;
}

/** A candidate that can't be reached is left alone for so long, each time for twice as long: failing fast must not keep a core busy. */
const REST_MS = 250;
const MOST_REST_MS = 2000;
/** Room for the JSON of an answer. */
const ANSWER_SLACK_BYTES = 65_536;

/**
 * Sends copies of live requests to a candidate and compares the answers. Everything is bounded: copies by whoever
 * offers them (each is released once), those under way by `concurrency`, time by `timeoutMs`, and all of it by the order.
 */
export class Shadow {
  readonly #model: ShadowedModel;
  readonly #deps: ShadowDependencies;
  #running: Running | undefined;
  /** Of the last order, running or not: its counts stay readable. */
  #tally: Tally | undefined;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #allowed: number;
  #restUntil = Number.NEGATIVE_INFINITY;
  #rest = REST_MS;
  #resting: NodeJS.Timeout | undefined;

  constructor(model: ShadowedModel, deps: ShadowDependencies) {
    this.#model = model;
    this.#deps = deps;
    this.#allowed = deps.settings.maxQueue;
  }

  /**
   * The order of this poll. The same id goes on counting; null, like another id, ends the one before. Copies carry
   * `authorization` where the candidate asks for one.
   */
  follow(order: ShadowOrder | null, authorization?: string): void {
    const known = this.#running;
    if (order && known && sameTask(order, known.order)) {
      known.expiresAt = this.#deps.now() + order.expiresInSeconds * 1000;
      return;
    }
    this.#end();
    if (order) this.#begin(order, authorization);
  }

  /** Takes a copy; `released` is called once, when it is held no longer. */
  offer(copy: Copy, released: () => void): void {
    const running = this.#current();
    if (!running) {
      this.#tally?.skipped(1);
      released();
      return;
    }
    this.#waiting.push({ copy, deadline: this.#deps.now() + this.#deps.settings.timeoutMs, released });
    this.#send();
  }

  get evidence(): ShadowEvidence | undefined {
    return this.#tally?.evidence;
  }

  close(): void {
    this.#end();
  }

  #begin(order: ShadowOrder, authorization: string | undefined): void {
    const { settings, now } = this.#deps;
    const { signature, features, name } = this.#model;
    if (this.#tally?.evidence.order !== order.id) this.#tally = new Tally(order.id, settings.examples);
    this.#running = {
      order,
      courier: new Courier({
        target: order.target,
        model: name,
        order: order.id,
        authorization,
        connections: settings.concurrency,
        timeoutMs: settings.timeoutMs,
      }),
      tally: this.#tally as Tally,
      segment: order.segment === undefined ? undefined : locate(order.segment, signature, features),
      expiresAt: now() + order.expiresInSeconds * 1000,
    };
    this.#restUntil = Number.NEGATIVE_INFINITY;
    this.#rest = REST_MS;
    this.#allow(settings.maxQueue);
  }

  #end(): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    clearTimeout(this.#resting);
    this.#resting = undefined;
    running.tally.skipped(this.#waiting.length);
    for (const { released } of this.#waiting.splice(0)) released();
    running.courier.close();
  }

  /** The order that runs, unless its time has run out. */
  #current(): Running | undefined {
    if (this.#running && this.#deps.now() >= this.#running.expiresAt) this.#end();
    return this.#running;
  }

  #send(): void {
    const running = this.#current();
    if (!running || this.#mustRest()) return;
    const now = this.#deps.now();
    while (this.#underWay < this.#deps.settings.concurrency) {
      const next = this.#waiting.shift();
      if (!next) return;
      if (now < next.deadline) this.#compare(next, running);
      else {
        running.tally.skipped(1);
        next.released();
      }
    }
  }

  #mustRest(): boolean {
    const left = this.#restUntil - this.#deps.now();
    if (left <= 0) return false;
    this.#resting ??= setTimeout(() => {
      this.#resting = undefined;
      this.#send();
    }, left);
    return true;
  }

  #compare({ copy, released }: Waiting, running: Running): void {
    this.#underWay++;
    running.courier
      .bring({
        ...copy,
        outputs: copy.outputs.map(({ name }) => name),
        maxAnswerBytes: 2 * copy.outputs.reduce((total, output) => total + bytesIn(output), 0) + ANSWER_SLACK_BYTES,
      })
      .then((candidate) => {
        this.#answered();
        this.#count(copy, candidate, running);
      })
      .catch((error: unknown) => this.#fail(copy, error, running))
      .finally(() => {
        this.#underWay--;
        released();
        this.#send();
      });
  }

  #fail(copy: Copy, error: unknown, running: Running): void {
    // Ours to end: the candidate is not to blame for a connection that we closed.
    if (this.#running !== running) running.tally.skipped(1);
    else {
      running.tally.failed(rowsOf(this.#model.signature, copy.inputs));
      if (error instanceof NoAnswer) this.#missed(error);
      else this.#answered();
    }
  }

  /**
   * Copies that wait for a candidate which says nothing end unsent, and were made for nothing; those that are sent cost
   * milliseconds of a core when they are given up. Left at that, hundreds of live requests in a row would pay for new ones each
   * time: so each silence halves how many may be under way, until one is left that finds out when it answers again.
   */
  #missed({ unreachable }: NoAnswer): void {
    this.#allow(Math.max(1, Math.floor(this.#allowed / 2)));
    const now = this.#deps.now();
    if (!unreachable || now < this.#restUntil) return;
    this.#restUntil = now + this.#rest;
    this.#rest = Math.min(2 * this.#rest, MOST_REST_MS);
  }

  /** Anything but silence, a fault too: twice as many may be under way as before. */
  #answered(): void {
    this.#rest = REST_MS;
    this.#allow(2 * this.#allowed);
  }

  #allow(copies: number): void {
    this.#allowed = Math.min(copies, this.#deps.settings.maxQueue);
    this.#deps.allow(this.#allowed);
  }

  #count(copy: Copy, candidate: readonly TensorValue[], running: Running): void {
    const fault = misfit(copy.outputs, candidate);
    if (fault !== undefined) throw new Error(fault);
    const { order, tally, segment } = running;
    const rows = rowsOf(this.#model.signature, copy.inputs);
    const rules = { compare: order.compare, tolerance: order.tolerance, k: order.k, classes: this.#model.classes };
    for (const [row, output] of disagreements(copy.outputs, candidate, rows, rules).entries()) {
      tally.compared(output === undefined, segment && valueAt(segment, copy.inputs, row, rows));
      if (output !== undefined) tally.example(() => this.#example(copy, candidate, row, rows, output));
    }
  }

  #example(copy: Copy, candidate: readonly TensorValue[], row: number, rows: number, output: string) {
    const id = hashOfInputs(this.#deps.hashKey, copy.inputs, row, rows);
    return { id, output, live: shown(copy.outputs, output, row, rows), candidate: shown(candidate, output, row, rows) };
  }
}

/** Whether a poll tells of the comparison that runs: only its end, and how much is copied, may differ. */
const sameTask = (a: ShadowOrder, b: ShadowOrder): boolean =>
  a.id === b.id &&
  a.target === b.target &&
  a.compare === b.compare &&
  a.tolerance === b.tolerance &&
  a.k === b.k &&
  a.segment === b.segment;

const MOST_SHOWN = 16;
const MOST_CHARACTERS = 128;

/** One row of an output, short enough for a person. */
function shown(outputs: readonly TensorValue[], name: string, row: number, rows: number): string {
  const tensor = outputs.find((output) => output.name === name) as TensorValue;
  const elements = isFloat(tensor.datatype) ? floatsOf(tensor) : tensor.elements;
  const size = elements.length / rows;
  const values: unknown[] = Array.prototype.slice.call(elements, row * size, row * size + Math.min(size, MOST_SHOWN));
  const text = values.map((value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)).join(', ');
  return size > MOST_SHOWN || text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
}
