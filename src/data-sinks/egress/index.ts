export { PushClient } from './push-client.js';
export type {
  PushAnswer,
  PushBody,
  PushClientOptions,
  PushDeadlines,
  PushExchange,
  PushRequest,
} from './push-exchange.js';
export { createDnsResolver, type ResolvedAddress, type Resolver, systemResolver } from './resolver.js';
