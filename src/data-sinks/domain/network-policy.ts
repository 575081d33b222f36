import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { ConfigurationError } from './errors.js';

/**
 * - `public`: may be connected to
 * - `opened`: not public, but in a range that the operator opened for development
 * - `refused`: never connected to
 *
 * `reason` is for the operator's log only. A tenant gets the same text for every refused address, so that responses do
 * not reveal the internal network.
 */
export type AddressVerdict =
  | { readonly kind: 'public' }
  | { readonly kind: 'opened'; readonly range: string }
  | { readonly kind: 'refused'; readonly reason: string };

export interface NetworkPolicyOptions {
  /** Non-public CIDR ranges that may be reached, on every port and over plain http. For development. */
  readonly privateRanges: readonly string[];
}

export interface NetworkPolicy {
  /** Whether the operator opened any range. */
  readonly opensAny: boolean;
  /** Classifies an address given as text. Anything that is not an address is refused. */
  judgeAddress(address: string): AddressVerdict;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = readonly [base: Address, prefixLength: number];
interface NamedRange {
  readonly name: string;
  readonly range: Range;
}

const REFUSED_IPV4 = ranges({
  '0.0.0.0/8': 'this network',
  '10.0.0.0/8': 'private',
  '100.64.0.0/10': 'carrier-grade NAT',
  '127.0.0.0/8': 'loopback',
  '168.63.129.16/32': 'a cloud’s wire server on a public address',
  '169.254.0.0/16': 'link-local, cloud metadata',
  '172.16.0.0/12': 'private',
  '192.0.0.0/24': 'protocol assignments',
  '192.0.2.0/24': 'documentation',
  '192.88.99.0/24': '6to4 relays',
  '192.168.0.0/16': 'private',
  '198.18.0.0/15': 'benchmarking',
  '198.51.100.0/24': 'documentation',
  '203.0.113.0/24': 'documentation',
  '224.0.0.0/4': 'multicast',
  '240.0.0.0/4': 'reserved, broadcast',
});

const GLOBAL_UNICAST_IPV6 = parseRange('2000::/3');

const REFUSED_GLOBAL_IPV6 = ranges({
  '2001::/23': 'protocol assignments, Teredo',
  '2001:db8::/32': 'documentation',
  '2002::/16': '6to4',
  '3fff::/20': 'documentation',
});

/** IPv6 forms whose last 32 bits are the IPv4 address that receives the packet. */
const CARRIERS_OF_IPV4 = ranges({ '::ffff:0:0/96': 'v4-mapped', '64:ff9b::/96': 'NAT64' });

/**
 * Decides to which addresses a push may be sent. Refuses by default: an address must be known to be public.
 * @throws ConfigurationError when an opened range is malformed or includes public addresses
 */
export function createNetworkPolicy({ privateRanges }: NetworkPolicyOptions): NetworkPolicy {
  const opened = privateRanges.map(parseOpenedRange);
  const judge = (text: string): AddressVerdict => {
    const address = parseAddress(text);
    if (!address) return { kind: 'refused', reason: 'not an IP address' };
    const inner = carriedIPv4(address);
    const open = find(opened, address) ?? (inner && find(opened, inner));
    if (open) return { kind: 'opened', range: open.name };
    const reason = refusal(inner ?? address);
    return reason === null ? { kind: 'public' } : { kind: 'refused', reason };
  };
  // Every attempt asks for the same few addresses.
  const verdicts = new LRUCache<string, AddressVerdict>({ max: 1_000, memoMethod: judge });
  return { opensAny: opened.length > 0, judgeAddress: (text) => verdicts.memo(text) };
}

/**
 * Normalises an address so that two can be compared. A v4-mapped address becomes IPv4, since a socket may report either
 * form. Returns null if the text is not an address, has a zone (`fe80::1%eth0`) or is an unusual spelling of IPv4.
 */
export function canonicalAddress(text: string): string | null {
  const address = parseAddress(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  return address?.toString() ?? null;
}

function refusal(address: Address): string | null {
  if (address instanceof ipaddr.IPv4) return find(REFUSED_IPV4, address)?.name ?? null;
  if (!within(address, GLOBAL_UNICAST_IPV6)) return 'outside 2000::/3 (global unicast)';
  return find(REFUSED_GLOBAL_IPV6, address)?.name ?? null;
}

function carriedIPv4(address: Address): ipaddr.IPv4 | null {
  return find(CARRIERS_OF_IPV4, address) ? new ipaddr.IPv4(address.toByteArray().slice(-4)) : null;
}

/** ipaddr.js also parses short, octal and hexadecimal IPv4, which resolvers and sockets never return. */
function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text);
  return null;
}

function parseOpenedRange(text: string): NamedRange {
  const range = /^[^/]+\/\d{1,3}$/.test(text) && parseAddress(text.split('/')[0] ?? '') ? tryParseRange(text) : null;
  if (!range) {
    throw new ConfigurationError(`"${text}" is not a CIDR range; write it like 127.0.0.0/8 or ::1/128`);
  }
  if (!isRefusedThroughout(range)) {
    throw new ConfigurationError(
      `"${text}" reaches into public space, which needs no opening; name the private range itself, like 10.0.0.0/8`,
    );
  }
  return { name: text, range };
}

function isRefusedThroughout(range: Range): boolean {
  const [base, length] = range;
  const listed = base instanceof ipaddr.IPv4 ? REFUSED_IPV4 : REFUSED_GLOBAL_IPV6;
  if (listed.some(({ range: outer }) => outer[1] <= length && within(base, outer))) return true;
  if (base instanceof ipaddr.IPv4 || length < 3 || within(base, GLOBAL_UNICAST_IPV6)) return false;
  // A range that overlaps an IPv4-in-IPv6 prefix would open public IPv4 addresses.
  return !CARRIERS_OF_IPV4.some(({ range: carrier }) => within(base, carrier) || within(carrier[0], range));
}

function find(list: readonly NamedRange[], address: Address): NamedRange | undefined {
  return list.find(({ range }) => within(address, range));
}

function within(address: Address, [base, length]: Range): boolean {
  if (address instanceof ipaddr.IPv4) return base instanceof ipaddr.IPv4 && address.match(base, length);
  return base instanceof ipaddr.IPv6 && address.match(base, length);
}

function ranges(reasons: Readonly<Record<string, string>>): readonly NamedRange[] {
  return Object.entries(reasons).map(([cidr, reason]) => ({ name: `${cidr}: ${reason}`, range: parseRange(cidr) }));
}

function parseRange(cidr: string): Range {
  return ipaddr.parseCIDR(cidr);
}

function tryParseRange(cidr: string): Range | null {
  try {
    return parseRange(cidr);
  } catch {
    return null;
  }
}
