import { Injectable } from '@nestjs/common';
import type { ClaimedDelivery } from '../domain/claimed-delivery.js';

/** The worker of this process. */
export interface LocalWorker {
  /** How many more deliveries it has room for. */
  room(): number;
  /** Number of a sink's deliveries that it has in flight. */
  inFlightOf(dataSourceId: string): number;
  /** Takes the database's time as soon as it is known: the host's transaction may be committed much later. */
  answered(at: Date): void;
  /** Deliveries under leases of this process's; as if they had been claimed. */
  take(deliveries: readonly ClaimedDelivery[]): void;
}

/**
 * From recording to delivering within one process: what is recorded where a worker has room is leased to it at once, which
 * spares the claim. The rows say so, so that what is handed over and lost goes on when its lease has run out.
 */
@Injectable()
export class Handover {
  #worker: LocalWorker | null = null;

  /** The worker has started. */
  open(worker: LocalWorker): void {
    this.#worker = worker;
  }

  /** It stops: nothing more is leased to it. */
  close(): void {
    this.#worker = null;
  }

  /** For how many deliveries there is room; 0 where no worker runs. */
  room(): number {
    return this.#worker?.room() ?? 0;
  }

  inFlightOf(dataSourceId: string): number {
    return this.#worker?.inFlightOf(dataSourceId) ?? 0;
  }

  answered(at: Date): void {
    this.#worker?.answered(at);
  }

  /** @returns false when the worker has stopped since: the deliveries have to be given back */
  take(deliveries: readonly ClaimedDelivery[]): boolean {
    this.#worker?.take(deliveries);
    return this.#worker !== null;
  }
}
