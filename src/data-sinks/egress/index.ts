export { PushClient } from './push-client.js';
export type {
  EndpointVerdict,
  PushAnswer,
  PushBody,
  PushClientOptions,
  PushDeadlines,
  PushExchange,
  PushRequest,
} from './push-exchange.js';
export { createDnsResolver, type ResolvedAddress, type Resolver, systemResolver } from './resolver.js';
