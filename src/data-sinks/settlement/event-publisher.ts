import { Injectable, Optional } from '@nestjs/common';
import { EventEmitter2 } from '@nestjs/event-emitter';
import type { DataSinkEventName, DataSinkEvents } from '../domain/domain-events.js';
import { EventLog } from '../tools/event-log.js';

/** Emits events to the host's listeners. Their errors are logged and ignored; nobody waits for them. */
@Injectable()
export class EventPublisher {
  readonly #logger = new EventLog();

  /** @param emitter undefined in a host without `EventEmitterModule` */
  constructor(@Optional() private readonly emitter?: EventEmitter2) {}

  emit<N extends DataSinkEventName>(name: N, event: DataSinkEvents[N]): void {
    if (!this.emitter?.hasListeners(name)) return;
    // Not emit(): the rejection of an async listener would be unhandled and end the process.
    void this.#tell(name, event).catch((error: unknown) => {
      this.#logger.error({
        event: 'listener.failed',
        message: `a listener of the host's for ${name} failed, which harms no delivery`,
        ...{ name, error: String(error) },
      });
    });
  }

  async #tell(name: string, event: object): Promise<void> {
    // A frozen copy, so that no listener can change it for the next.
    await this.emitter?.emitAsync(name, Object.freeze({ ...event }));
  }
}
