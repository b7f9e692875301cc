/** The place of one body at the gate: waiting or inside. */
export interface BodyTicket {
  /** So many more bytes of the body have come. */
  came(bytes: number): void;
  /** The body inside is smaller than what was asked for: the rest is free for others. */
  shrink(bytes: number): void;
  /** The body is no longer needed, or its caller is gone. Does nothing the second time. */
  giveBack(): void;
}

/**
 * Bytes of bodies that come at full speed, or are here and being worked on. A few bodies keep every thread busy; with
 * more of them at once each connection gets its turn so seldom that TCP never opens its window, and callers starve (64
 * connections of 3 MB: the slowest one in a hundred took six times the median with 128 MB inside, twice with this).
 */
const BRISK_BYTES = 24 * 1024 * 1024;
/** A body that came by less than this since the last look, a quarter of a second ago (8 Mbit/s), holds nobody up. */
const SLOW_BYTES = 256 * 1024;

/** How often `look` is to be called, milliseconds. */
export const LOOK_EVERY_MS = 250;

/**
 * Room for large bodies, by bytes: who comes first reads first. Without it, sixty connections that each send megabytes
 * at once all hold half a body for as long as the slowest takes, and some callers starve. Bodies of callers whose line
 * is slow are let in beyond the few that keep the server busy, up to the whole budget. A body larger than the whole
 * budget passes alone.
 */
export class BodyGate {
  readonly #budget: number;
  readonly #briskBudget: number;
  readonly #waiting = new Set<Ticket>();
  readonly #inside = new Set<Ticket>();
  #held = 0;
  #brisk = 0;

  constructor(budget: number, briskBudget: number = BRISK_BYTES) {
    this.#budget = budget;
    this.#briskBudget = briskBudget;
  }

  /** Bytes of the bodies that are inside. */
  get held(): number {
    return this.#held;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Asks for room. `enter` is called once, before this returns or later, unless the ticket is given back before. */
  ask(bytes: number, enter: () => void): BodyTicket {
    const ticket: Ticket = {
      bytes,
      enter,
      missing: bytes,
      recent: 0,
      isBrisk: true,
      came: (more) => {
        ticket.recent += more;
        ticket.missing -= more;
      },
      shrink: (to) => this.#shrink(ticket, to),
      giveBack: () => this.#giveBack(ticket),
    };
    this.#waiting.add(ticket);
    this.#admit();
    return ticket;
  }

  /** Lets others in beside the bodies that come slowly. To be called every LOOK_EVERY_MS. */
  look(): void {
    for (const ticket of this.#inside) {
      if (ticket.isBrisk && ticket.missing > 0 && ticket.recent < SLOW_BYTES) {
        ticket.isBrisk = false;
        this.#brisk -= ticket.bytes;
      }
      ticket.recent = 0;
    }
    this.#admit();
  }

  #giveBack(ticket: Ticket): void {
    this.#waiting.delete(ticket);
    this.#shrink(ticket, 0);
    this.#inside.delete(ticket);
    this.#admit();
  }

  #shrink(ticket: Ticket, bytes: number): void {
    if (!this.#inside.has(ticket) || bytes >= ticket.bytes) return;
    const freed = ticket.bytes - bytes;
    this.#held -= freed;
    if (ticket.isBrisk) this.#brisk -= freed;
    ticket.bytes = bytes;
    ticket.missing = 0;
    this.#admit();
  }

  /** Strictly in turn: a small body that overtook a large one would make the large one wait for ever. */
  #admit(): void {
    for (const ticket of this.#waiting) {
      if (!this.#hasRoom(ticket)) return;
      this.#waiting.delete(ticket);
      this.#inside.add(ticket);
      this.#held += ticket.bytes;
      this.#brisk += ticket.bytes;
      ticket.recent = SLOW_BYTES; // its first quarter of a second has not passed
      ticket.enter();
    }
  }

  #hasRoom({ bytes }: Ticket): boolean {
    return this.#held === 0 || (this.#held + bytes <= this.#budget && this.#brisk < this.#briskBudget);
  }
}

interface Ticket extends BodyTicket {
  bytes: number;
  /** Bytes that have not come yet. */
  missing: number;
  /** Bytes that came since the last look. */
  recent: number;
  /** Counts among those that keep the server busy. */
  isBrisk: boolean;
  readonly enter: () => void;
}
