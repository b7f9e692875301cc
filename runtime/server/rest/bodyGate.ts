/** The place of one body at the gate: waiting or inside. */
export interface BodyTicket {
  /** The body inside is smaller than what was asked for: the rest is free for others. */
  shrink(bytes: number): void;
  /** The body is no longer needed, or its caller is gone. Does nothing the second time. */
  giveBack(): void;
}

/**
 * Room for large bodies, by bytes: who comes first reads first. Without it, sixty connections that each send megabytes
 * at once all hold half a body for as long as the slowest takes, and some callers starve. A body larger than the whole
 * budget passes alone.
 */
export class BodyGate {
  readonly #budget: number;
  readonly #waiting = new Set<Ticket>();
  #held = 0;

  constructor(budget: number) {
    this.#budget = budget;
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
      shrink: (to) => this.#shrink(ticket, to),
      giveBack: () => this.#giveBack(ticket),
    };
    this.#waiting.add(ticket);
    this.#admit();
    return ticket;
  }

  #giveBack(ticket: Ticket): void {
    if (this.#waiting.delete(ticket)) ticket.bytes = 0;
    else this.#shrink(ticket, 0);
    this.#admit();
  }

  #shrink(ticket: Ticket, bytes: number): void {
    if (this.#waiting.has(ticket) || bytes >= ticket.bytes) return;
    this.#held -= ticket.bytes - bytes;
    ticket.bytes = bytes;
    this.#admit();
  }

  /** Strictly in turn: a small body that overtook a large one would make the large one wait for ever. */
  #admit(): void {
    for (const ticket of this.#waiting) {
      if (this.#held > 0 && this.#held + ticket.bytes > this.#budget) return;
      this.#waiting.delete(ticket);
      this.#held += ticket.bytes;
      ticket.enter();
    }
  }
}

interface Ticket extends BodyTicket {
  bytes: number;
  readonly enter: () => void;
}
