import { DEFAULT_BODY_SETTINGS, type HttpsWebhookConfig } from '../../../../src/data-sinks/domain/data-sink.js';
import type { ClaimedDelivery } from '../../../../src/data-sinks/domain/claimed-delivery.js';

/** A delivery in a worker's hands, as the claim gives it. */
export function aClaimedDelivery(given: Partial<ClaimedDelivery> = {}): ClaimedDelivery {
  return {
    id: 'dlv_1',
    workspaceId: 'ws_1',
    agentId: 'agt_1',
    dataSourceId: 'ads_1',
    jobId: 'job_1',
    run: 1,
    recipe: 'JSON',
    trigger: 'AUTO',
    attemptCount: 0,
    retriesAllowed: 2,
    retriesSpent: 0,
    ownFailures: 0,
    lastErrorCode: null,
    leaseToken: '00000000-0000-4000-8000-000000000001',
    completedAt: new Date('2026-05-25T12:34:56Z'),
    stats: { total: 1, matched: 1, unmatched: 0 },
    sink: {
      type: 'HTTPS_WEBHOOK',
      config: {
        url: 'https://receiver.example.com/results',
        authScheme: 'HmacSha256',
        username: null,
        customHeaders: [{ name: 'X-Environment', value: 'production' }],
        retryableStatuses: [429],
        ...DEFAULT_BODY_SETTINGS,
      } as HttpsWebhookConfig,
      configVersion: 7,
      status: 'ACTIVE',
      deletedAt: null,
      failuresInRow: 0,
      secretId: 'sec_1',
      previousSecret: null,
    },
    payload: null,
    handedOver: false,
    traceContext: null,
    ...given,
  };
}
