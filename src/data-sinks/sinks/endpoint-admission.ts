import { Injectable } from '@nestjs/common';
import type { DataSink } from '../domain/data-sink.js';
import type { Destination } from '../destinations/destination.js';
import { invalid } from '../domain/invalid-request.js';
import { EventLog } from '../tools/event-log.js';

/** Asks, before a sink is saved, what every attempt will ask: where does its name lead? */
@Injectable()
export class EndpointAdmission {
  readonly #logger = new EventLog();

  /**
   * @returns warnings for the author
   * @throws ProblemError `validation-failed`, with the same text for every refused address
   */
  async admit(destination: Destination, sink: DataSink): Promise<readonly string[]> {
    const admission = await destination.admit(sink.config);
    if (admission.kind === 'fine') return [];
    if (admission.kind === 'doubtful') return [admission.warning];
    const { pointer, detail, reason, operatorDetail } = admission;
    const { id: dataSourceId, workspaceId, agentId } = sink;
    this.#logger.warn({
      event: 'endpoint.refused',
      message: `the endpoint of data sink ${dataSourceId} leads to an address that is refused`,
      ...{ workspaceId, agentId, dataSourceId, reason, operatorDetail },
    });
    throw invalid([{ pointer, detail }]);
  }
}
