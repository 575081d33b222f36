import { lookup, Resolver as DnsClient } from 'node:dns/promises';

import type { NetworkPolicy } from '../core/network-policy.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** All addresses of a name, in the order in which they should be tried. Rejects with a Node system error. */
export type Resolver = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/**
 * The operating system's resolver, which knows `/etc/hosts` and search domains as every other program does. It runs on
 * one of the few threads that also unzip and hash: some names whose servers never answer can hold all of them.
 */
export const systemResolver: Resolver = async (hostname) => {
  const addresses = await lookup(hostname, { all: true, verbatim: true });
  return addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/**
 * Asks the name servers themselves, without a thread: names whose servers never answer hold up nobody else. Knows
 * neither `/etc/hosts` nor search domains, which no endpoint on the internet needs.
 * @param servers `address:port`; the machine's own when left out
 */
export function createDnsResolver(servers: readonly string[] = []): Resolver {
  return async (hostname) => {
    // One client for each look-up, so that they do not wait for each other's retries.
    const client = new DnsClient({ timeout: 2_000, tries: 2 });
    if (servers.length > 0) client.setServers(servers);
    const [ipv4, ipv6] = await Promise.allSettled([client.resolve4(hostname), client.resolve6(hostname)]);
    // IPv4 first: many servers have addresses of both kinds and a working route for that one only.
    const addresses = [...answersOf(ipv4, 4), ...answersOf(ipv6, 6)];
    if (addresses.length === 0) throw worse(ipv4, ipv6);
    return addresses;
  };
}

/** Names of a development network may be in `/etc/hosts`; elsewhere robustness matters more. */
export function defaultResolver(policy: NetworkPolicy): Resolver {
  return policy.opensAny ? systemResolver : createDnsResolver();
}

type Answers = PromiseSettledResult<string[]>;

function answersOf(result: Answers, family: 4 | 6): readonly ResolvedAddress[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : [];
}

/** Of two failures the one that is not "no such record": while a server fails, nobody knows that a name is gone. */
function worse(...results: readonly Answers[]): unknown {
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as { code?: string }] : [],
  );
  return reasons.find(({ code }) => code !== 'ENODATA' && code !== 'ENOTFOUND') ?? reasons[0] ?? noData();
}

function noData(): Error {
  return Object.assign(new Error('no addresses'), { code: 'ENODATA' });
}
