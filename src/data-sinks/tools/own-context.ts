import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs a function outside any request: it and everything it starts see no `AsyncLocalStorage` of the caller, and
 * therefore no OpenTelemetry span or baggage.
 *
 * Timers, promises and listeners carry the context in which they were created. Work for many workspaces (a claim, a
 * batch, a wake-up) must not run in the context of the request that happens to start it, where a host may keep a tenant
 * or a transaction. The context used is the one in which this module was loaded, before the host serves requests.
 *
 * @returns what the function returns
 */
export const inOwnContext: <T>(work: () => T) => T = AsyncLocalStorage.snapshot();
