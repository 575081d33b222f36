import { lookup, Resolver as DnsClient } from 'node:dns/promises';

import type { NetworkPolicy } from '../domain/network-policy.js';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Returns all addresses of a name in the order in which to try them. Rejects with a Node system error. */
export type Resolver = (hostname: string) => Promise<readonly ResolvedAddress[]>;

/**
 * The operating system's resolver, which reads `/etc/hosts` and search domains. It uses a thread of libuv's small pool,
 * which zlib and crypto share: a few names with unresponsive servers can block all of them.
 */
export const systemResolver: Resolver = async (hostname) => {
  const addresses = await lookup(hostname, { all: true, verbatim: true });
  return addresses.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
};

/**
 * Queries the name servers directly, without a thread, so names with unresponsive servers do not block others. Does not
 * read `/etc/hosts` or search domains, which internet endpoints do not need.
 * @param servers `address:port`; the machine's own if omitted
 */
export function createDnsResolver(servers: readonly string[] = []): Resolver {
  return async (hostname) => {
    // One client per look-up, so that look-ups do not wait for each other's retries.
    const client = new DnsClient({ timeout: 2_000, tries: 2 });
    if (servers.length > 0) client.setServers(servers);
    const [ipv4, ipv6] = await bothOrOne(client.resolve4(hostname), client.resolve6(hostname));
    client.cancel();
    // IPv4 first: many servers have both kinds of address, but a working route only for IPv4.
    const addresses = [...answersOf(ipv4, 4), ...answersOf(ipv6, 6)];
    if (addresses.length === 0) throw worse(ipv4, ipv6);
    return addresses;
  };
}

/** Once one kind has come, the other may be this late: some servers never answer for a kind that a name does not have. */
const SECOND_KIND_MS = 1_000;

/** Both; one alone where the other is not answered soon after it. Addresses that are not known are not connected to. */
async function bothOrOne(ipv4: Promise<string[]>, ipv6: Promise<string[]>): Promise<readonly [Answers, Answers]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string[]>((_, reject) => {
    const arm = (): void => void (timer ??= setTimeout(() => reject(noData()), SECOND_KIND_MS));
    for (const kind of [ipv4, ipv6]) kind.then(arm, () => undefined);
  });
  late.catch(() => undefined);
  const [first, second] = await Promise.allSettled([ipv4, ipv6].map((kind) => Promise.race([kind, late])));
  clearTimeout(timer);
  return [first ?? NONE, second ?? NONE];
}

/** Names of a development network may be in `/etc/hosts`; elsewhere robustness is more important. */
export function defaultResolver(policy: NetworkPolicy): Resolver {
  return policy.opensAny ? systemResolver : createDnsResolver();
}

type Answers = PromiseSettledResult<string[]>;
const NONE: Answers = { status: 'fulfilled', value: [] };

function answersOf(result: Answers, family: 4 | 6): readonly ResolvedAddress[] {
  return result.status === 'fulfilled' ? result.value.map((address) => ({ address, family })) : [];
}

/** Of two errors, prefers the one that is not "no such record": while one query fails, the name may still exist. */
function worse(...results: readonly Answers[]): unknown {
  const reasons = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as { code?: string }] : [],
  );
  return reasons.find(({ code }) => code !== 'ENODATA' && code !== 'ENOTFOUND') ?? reasons[0] ?? noData();
}

function noData(): Error {
  return Object.assign(new Error('no addresses'), { code: 'ENODATA' });
}
