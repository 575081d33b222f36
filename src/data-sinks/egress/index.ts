export { PushClient } from './push-client.js';
export {
  NO_BODY,
  type PushBody,
  type PushClientOptions,
  type PushDeadlines,
  type PushExchange,
  type PushRequest,
} from './push-exchange.js';
export { createDnsResolver, type ResolvedAddress, type Resolver, systemResolver } from './resolver.js';
