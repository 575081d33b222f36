import { ask, type Client } from './client.js';
import { deliveryCalls } from './delivery-calls.js';
import { hostCalls } from './host-calls.js';
import { recoveryCalls } from './recovery-calls.js';
import { sinkPath } from './sink-path.js';
import type { CreateSink, RotateSecret, UpdateSink } from './types.js';

export type Api = ReturnType<typeof createApi>;

/** All API calls of the page. */
export function createApi(client: Client) {
  return {
    ...hostCalls(client),
    sinks: (agentId: string) =>
      ask(client.GET('/agents/{agentId}/data-sources', { params: { path: { agentId }, query: { limit: 100 } } })),
    sink: (agentId: string, sinkId: string) =>
      ask(client.GET('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId) })),
    createSink: (agentId: string, body: CreateSink) =>
      ask(client.POST('/agents/{agentId}/data-sources', { params: { path: { agentId } }, body })),
    changeSink: (agentId: string, sinkId: string, body: UpdateSink) =>
      ask(client.PATCH('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId), body })),
    deleteSink: (agentId: string, sinkId: string) =>
      ask(client.DELETE('/agents/{agentId}/data-sources/{sinkId}', { params: sinkPath(agentId, sinkId) })),
    rotateSecret: (agentId: string, sinkId: string, body: RotateSecret) =>
      ask(client.POST('/agents/{agentId}/data-sources/{sinkId}/secret', { params: sinkPath(agentId, sinkId), body })),
    testSink: (agentId: string, sinkId: string) =>
      ask(client.POST('/agents/{agentId}/data-sources/{sinkId}/test', { params: sinkPath(agentId, sinkId) })),
    push: (agentId: string, sinkId: string, jobId: string) =>
      ask(
        client.POST('/agents/{agentId}/data-sources/{sinkId}/pushes', {
          params: sinkPath(agentId, sinkId),
          body: { jobId },
        }),
      ),
    ...deliveryCalls(client),
    ...recoveryCalls(client),
  };
}
