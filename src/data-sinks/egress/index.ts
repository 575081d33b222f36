export { DEFAULT_PUSH_CAPS, DEFAULT_PUSH_DEADLINES } from './push-defaults.js';
export { PushClient } from './push-client.js';
export type {
  PushAnswer,
  PushBody,
  PushCaps,
  PushClientOptions,
  PushDeadlines,
  PushExchange,
  PushRequest,
} from './push-exchange.js';
export { createDnsResolver, type ResolvedAddress, type Resolver, systemResolver } from './resolver.js';
