import { Logger } from '@nestjs/common';
import type { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSinkEventName, DataSinkEvents } from '../core/domain-events.js';

/** Tells the host's listeners what happened. What they throw is logged and harms nothing; nobody waits for them. */
export class DomainEvents {
  readonly #logger = new Logger('DataSinks');
  readonly #emitter: Pick<EventEmitter2, 'emitAsync' | 'hasListeners'> | undefined;

  /** @param emitter undefined in a host without `EventEmitterModule` */
  constructor(emitter?: Pick<EventEmitter2, 'emitAsync' | 'hasListeners'>) {
    this.#emitter = emitter;
  }

  emit<N extends DataSinkEventName>(name: N, event: DataSinkEvents[N]): void {
    if (!this.#emitter?.hasListeners(name)) return;
    // Not emit(): a listener that rejects later would be nobody's, and take the process down.
    void this.#tell(name, event).catch((error: unknown) => {
      this.#logger.error({ event: 'listener.failed', name, error: String(error) });
    });
  }

  async #tell(name: string, event: object): Promise<void> {
    // A copy of its own, frozen: what one listener does to it changes nothing for the next.
    await this.#emitter?.emitAsync(name, Object.freeze({ ...event }));
  }
}
