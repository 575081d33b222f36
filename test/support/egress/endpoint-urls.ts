import { readFileSync } from 'node:fs';

import type { EndpointUrlRefusal } from '../../../src/data-sinks/domain/endpoint-url.js';
import type { ResolvedAddress } from '../../../src/data-sinks/egress/index.js';

export interface HostileUrl {
  readonly url: string;
  readonly refusedAs: EndpointUrlRefusal;
  readonly because: string;
  /** Refused only after resolving: the addresses returned by the resolver. */
  readonly resolvesTo?: readonly string[];
}

export interface AcceptableUrl {
  readonly url: string;
  readonly because?: string;
  readonly resolvesTo?: readonly string[];
}

interface EndpointUrls {
  readonly hostile: readonly HostileUrl[];
  readonly acceptable: readonly AcceptableUrl[];
}

/** `test/data/endpoint-urls.json`: URLs that every layer must refuse, and URLs that none may refuse. */
export const endpointUrls = JSON.parse(
  readFileSync(new URL('../../data/endpoint-urls.json', import.meta.url), 'utf8'),
) as EndpointUrls;

/** The resolver's answer. Names without a given answer are public, so that only the URL can be at fault. */
export function addressesOf({ resolvesTo = ['93.184.216.34'] }: HostileUrl | AcceptableUrl): ResolvedAddress[] {
  return resolvesTo.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

/** One line of the report at the end of a suite. */
export function reportTried(
  layer: string,
  counts: { hostile: number; accepted: number; acceptable: number; overBlocked: number },
): void {
  process.stdout.write(
    `hostile inputs, ${layer}: ${counts.hostile} tried, ${counts.accepted} accepted; ` +
      `${counts.acceptable} acceptable tried, ${counts.overBlocked} over-blocked\n`,
  );
}
