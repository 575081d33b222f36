import type { CancelSignal } from '../core/cancellation.js';
import type { EndpointUrl } from '../core/endpoint-url.js';
import { type AddressVerdict, canonicalAddress, type NetworkPolicy } from '../core/network-policy.js';
import { Deadline, onAbort } from './deadline.js';
import { ExchangeFailure, failureOfLookup } from './exchange-failure.js';
import { LookupRecord } from './lookup-record.js';
import type { ResolvedAddress, Resolver } from './resolver.js';

/** More addresses than anyone needs; an answer of thousands would only cost us. */
const MAX_ADDRESSES = 64;

/** Resolves an endpoint and judges every address, anew for each attempt. */
export class AddressGuard {
  readonly #lookups: LookupRecord;

  constructor(
    private readonly policy: NetworkPolicy,
    private readonly resolver: Resolver,
    private readonly dnsMs: number,
    monotonicNow: () => number,
  ) {
    this.#lookups = new LookupRecord(monotonicNow);
  }

  /**
   * @returns at least one address, all of which may be connected to
   * @throws ExchangeFailure when the name cannot be resolved, or when **any** of its addresses is refused
   */
  async vet(url: EndpointUrl, signal?: CancelSignal): Promise<readonly ResolvedAddress[]> {
    const addresses = url.isIpLiteral ? [literal(url.hostname)] : await this.#resolve(url.hostname, signal);
    if (addresses.length > MAX_ADDRESSES) {
      throw new ExchangeFailure('address_refused', `${url.hostname} has more than ${MAX_ADDRESSES} addresses`);
    }
    for (const { address } of addresses) this.#judge(url, address);
    return addresses;
  }

  #judge(url: EndpointUrl, address: string): void {
    const verdict = this.policy.judgeAddress(address);
    if (verdict.kind === 'refused') {
      throw new ExchangeFailure('address_refused', `${url.hostname} is ${address}: ${verdict.reason}`);
    }
    if (url.onlyOpenedRanges && verdict.kind !== 'opened') {
      throw new ExchangeFailure('url_refused', `${url.origin} is ${address}, outside the opened ranges`);
    }
  }

  /** Asks for the addresses once more after connecting: what the socket says must be one that was vetted. */
  assertRemote(address: string | undefined, vetted: readonly ResolvedAddress[]): string {
    const remote = address === undefined ? null : canonicalAddress(address);
    if (remote === null || !vetted.some((entry) => canonicalAddress(entry.address) === remote)) {
      throw new ExchangeFailure('address_refused', `connected to ${address ?? 'nothing'}, which was not vetted`);
    }
    const verdict: AddressVerdict = this.policy.judgeAddress(remote);
    if (verdict.kind === 'refused') throw new ExchangeFailure('address_refused', `${remote}: ${verdict.reason}`);
    return remote;
  }

  #resolve(hostname: string, signal: CancelSignal | undefined): Promise<readonly ResolvedAddress[]> {
    return new Promise((resolve, reject) => {
      const deadline = new Deadline();
      const offAbort = onAbort(signal, (reason) => finish(() => reject(reason as Error)));
      const finish = (settle: () => void) => {
        deadline.clear();
        offAbort();
        settle();
      };
      deadline.arm(this.dnsMs, () =>
        finish(() => reject(new ExchangeFailure('dns_timeout', `looking up ${hostname} took over ${this.dnsMs} ms`))),
      );
      this.resolver(hostname).then(
        (addresses) =>
          finish(() => {
            if (addresses.length > 0) {
              this.#lookups.resolved(hostname);
              resolve(addresses);
            } else reject(new ExchangeFailure('dns_not_found', `${hostname} has no address`));
          }),
        (error: unknown) =>
          finish(() => reject(failureOfLookup(error, hostname, () => this.#lookups.failed(hostname)))),
      );
    });
  }
}

function literal(address: string): ResolvedAddress {
  return { address, family: address.includes(':') ? 6 : 4 };
}
