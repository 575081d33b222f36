import { Injectable, Logger } from '@nestjs/common';
import type { DataSink } from '../core/data-sink.js';
import { ADDRESS_REFUSED_DETAIL } from '../core/endpoint-url.js';
import { PushClient } from '../egress/index.js';
import { invalid } from './request-validation.pipe.js';

/** Where a sink that is about to be saved would push to. */
type Destination = Pick<DataSink, 'id' | 'workspaceId' | 'agentId' | 'config'>;

const UNRESOLVED =
  'The host of this endpoint cannot be found now. Nothing can be delivered before its name resolves to a public address.';

/** Asks, before a sink is saved, what every attempt will ask: where does its name lead? */
@Injectable()
export class EndpointAdmission {
  readonly #logger = new Logger('DataSinks');

  constructor(private readonly client: PushClient) {}

  /**
   * @returns what the author should know
   * @throws ProblemError `validation-failed`, in the same words for every refused address
   */
  async admit({ id, workspaceId, agentId, config }: Destination): Promise<readonly string[]> {
    const verdict = await this.client.judge(config.url);
    if (verdict.kind === 'fine') return [];
    if (verdict.kind === 'unresolved') return [UNRESOLVED];
    const { kind: reason, operatorDetail } = verdict;
    this.#logger.warn({ event: 'endpoint.refused', workspaceId, agentId, dataSourceId: id, reason, operatorDetail });
    // Only where an operator opened private ranges: the URL is one for them alone, and its name leads elsewhere.
    const detail = reason === 'url_refused' ? 'must be an https URL of a public host' : ADDRESS_REFUSED_DETAIL;
    throw invalid([{ pointer: '/config/url', detail }]);
  }
}
