import { ask, type Client } from './client.js';
import { sinkPath } from './sink-path.js';
import type { Recovery } from './types.js';

export function recoveryCalls(client: Client) {
  return {
    previewRecovery: (agentId: string, sinkId: string, since: Date, until: Date | null) =>
      ask(
        client.GET('/agents/{agentId}/data-sources/{sinkId}/recoveries/preview', {
          params: {
            ...sinkPath(agentId, sinkId),
            query: { since: since.toISOString(), ...(until && { until: until.toISOString() }) },
          },
        }),
      ),
    recover: (agentId: string, sinkId: string, body: { since: string; until: string }) =>
      ask(client.POST('/agents/{agentId}/data-sources/{sinkId}/recover', { params: sinkPath(agentId, sinkId), body })),
    /** The newest recovery; if one is running, it is this one. */
    lastRecovery: async (agentId: string, sinkId: string): Promise<{ recovery: Recovery | null }> => {
      const page = await ask(
        client.GET('/agents/{agentId}/data-sources/{sinkId}/recoveries', {
          params: { ...sinkPath(agentId, sinkId), query: { limit: 1 } },
        }),
      );
      return { recovery: page.items[0] ?? null };
    },
    cancelRecovery: (agentId: string, sinkId: string, recoveryId: string) =>
      ask(
        client.POST('/agents/{agentId}/data-sources/{sinkId}/recoveries/{recoveryId}/cancel', {
          params: { path: { agentId, sinkId, recoveryId } },
        }),
      ),
  };
}
