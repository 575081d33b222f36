import type { CancelSignal } from '../tools/cancellation.js';
import type { EndpointUrl } from '../domain/endpoint-url.js';
import { type AddressVerdict, canonicalAddress, type NetworkPolicy } from '../domain/network-policy.js';
import { Deadline, onAbort } from './deadline.js';
import { ExchangeFailure, failureOfLookup } from './exchange-failure.js';
import { LookupRecord } from './lookup-record.js';
import type { ResolvedAddress, Resolver } from './resolver.js';

/** Maximum number of addresses per name. A DNS response with thousands would only cost us time. */
const MAX_ADDRESSES = 64;

/** Resolves an endpoint's name and checks every address, again for each attempt. */
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
   * @returns at least one address; all of them may be connected to
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

  /** Checks again after connecting that the socket's remote address is one of the checked addresses. */
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
