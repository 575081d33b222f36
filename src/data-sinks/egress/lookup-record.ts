/** How long a successful look-up proves that the resolver works. */
const SIGN_OF_LIFE_MS = 60_000;

/** Maximum number of failing names to remember; the oldest is dropped first. */
const REMEMBERED = 10_000;

interface Resolved {
  readonly name: string;
  readonly at: number;
}

/**
 * Distinguishes an outage of our resolver from a name whose own servers are broken. The resolver returns SERVFAIL or
 * nothing in both cases; the difference is whether other names resolve meanwhile.
 */
export class LookupRecord {
  /** The last two names that were resolved; at least one of them differs from the name in question. */
  #latest: Resolved | null = null;
  #other: Resolved | null = null;
  /** When each failing name began to fail. */
  readonly #failingSince = new Map<string, number>();

  constructor(private readonly monotonicNow: () => number) {}

  resolved(name: string): void {
    if (this.#latest?.name !== name) this.#other = this.#latest;
    this.#latest = { name, at: this.monotonicNow() };
    this.#failingSince.delete(name);
  }

  /**
   * Records a failed look-up.
   * @returns whether the failure is the name's own: another name was resolved within the last minute **and** after this
   *   one began to fail. Without the second condition, every name would be blamed during the first minute of an outage
   *   of ours, and most deliveries use up their retries within a minute.
   */
  failed(name: string): boolean {
    const now = this.monotonicNow();
    const since = this.#failingSince.get(name);
    if (since === undefined) {
      this.#failingSince.set(name, now);
      for (const oldest of this.#failingSince.keys()) {
        if (this.#failingSince.size <= REMEMBERED) break;
        this.#failingSince.delete(oldest);
      }
      return false;
    }
    const another = this.#latest?.name === name ? this.#other : this.#latest;
    return another !== null && another.at > since && now - another.at <= SIGN_OF_LIFE_MS;
  }
}
