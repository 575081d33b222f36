import { randomBytes } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import { type ResolvedDataSinksOptions, resolveOptions } from '../data-sinks.options.js';
import {
  ACTIVE_TRACE,
  GIVEN_OPTIONS,
  NETWORK_POLICY,
  NEW_ID,
  NOW,
  OPTIONS,
  PUSH_CLIENT_OPTIONS,
  RANDOM,
  RANDOM_BYTES,
} from '../data-sinks.tokens.js';
import { createIdFactory } from '../domain/ids.js';
import { createNetworkPolicy, type NetworkPolicy } from '../domain/network-policy.js';
import { USER_AGENT } from '../domain/version.js';
import type { PushClientOptions } from '../egress/index.js';
import { activeTraceContext } from '../telemetry/active-trace.js';

/** Injected values: constants that tests replace, and values derived from the options. */
export const values: readonly Provider[] = [
  // Called each time: a test may replace the clock after the module was loaded.
  { provide: NOW, useValue: () => Date.now() },
  { provide: RANDOM, useValue: () => Math.random() },
  { provide: RANDOM_BYTES, useValue: randomBytes },
  { provide: ACTIVE_TRACE, useValue: activeTraceContext },
  { provide: NEW_ID, inject: [NOW, RANDOM_BYTES], useFactory: createIdFactory },
  { provide: OPTIONS, inject: [GIVEN_OPTIONS], useFactory: resolveOptions },
  {
    provide: NETWORK_POLICY,
    inject: [OPTIONS],
    useFactory: ({ allowPrivateEndpoints }: ResolvedDataSinksOptions) =>
      createNetworkPolicy({ privateRanges: allowPrivateEndpoints }),
  },
  { provide: PUSH_CLIENT_OPTIONS, inject: [NETWORK_POLICY, OPTIONS], useFactory: pushClientOptions },
];

function pushClientOptions(policy: NetworkPolicy, options: ResolvedDataSinksOptions): PushClientOptions {
  const { resolver, deadlines, allowedPorts, trustedCertificates: ca, maxInFlight } = options;
  return {
    policy,
    userAgent: USER_AGENT,
    allowedPorts,
    deadlines,
    ca,
    // Several sinks may share a host: keep connections for as many as can be in flight.
    connectionsPerOrigin: maxInFlight,
    ...(resolver && { resolver }),
  };
}
