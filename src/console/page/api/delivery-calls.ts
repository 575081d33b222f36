import { ask, type Client } from './client.js';
import { sinkPath } from './sink-path.js';
import type { DeliveryStatus } from './types.js';

export interface DeliveriesQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: DeliveryStatus[];
  readonly jobId?: string;
}

export function deliveryCalls(client: Client) {
  return {
    deliveries: (agentId: string, sinkId: string, query: DeliveriesQuery) =>
      ask(
        client.GET('/agents/{agentId}/data-sources/{sinkId}/deliveries', {
          params: { ...sinkPath(agentId, sinkId), query },
        }),
      ),
    attempts: (agentId: string, sinkId: string, limit: number, cursor?: string) =>
      ask(
        client.GET('/agents/{agentId}/data-sources/{sinkId}/syncs', {
          params: { ...sinkPath(agentId, sinkId), query: { limit, ...(cursor && { cursor }) } },
        }),
      ),
    delivery: (deliveryId: string) => ask(client.GET('/deliveries/{deliveryId}', { params: { path: { deliveryId } } })),
    redeliver: (deliveryId: string) =>
      ask(client.POST('/deliveries/{deliveryId}/redeliver', { params: { path: { deliveryId } } })),

    /** The exact bytes, still compressed if the body is. */
    payload: (deliveryId: string) =>
      ask(
        client.GET('/deliveries/{deliveryId}/payload', {
          params: { path: { deliveryId } },
          headers: { Accept: 'application/gzip' },
          parseAs: 'stream',
        }),
      ),
  };
}
