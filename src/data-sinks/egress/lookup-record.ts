/** How long a name that was resolved shows that the resolver answers. */
const SIGN_OF_LIFE_MS = 60_000;

/** Names that fail and are remembered; those that began longest ago are forgotten first. */
const REMEMBERED = 10_000;

interface Resolved {
  readonly name: string;
  readonly at: number;
}

/**
 * Tells a resolver of ours that is down from a name whose own servers are broken: for both the resolver says SERVFAIL, or
 * nothing. What tells them apart is how other names fare meanwhile.
 */
export class LookupRecord {
  /** The name that was resolved last, and the last one but it: one of the two is another than any that is asked about. */
  #latest: Resolved | null = null;
  #other: Resolved | null = null;
  /** Since when a name fails, without having been resolved in between. */
  readonly #failingSince = new Map<string, number>();

  constructor(private readonly monotonicNow: () => number) {}

  resolved(name: string): void {
    if (this.#latest?.name !== name) this.#other = this.#latest;
    this.#latest = { name, at: this.monotonicNow() };
    this.#failingSince.delete(name);
  }

  /**
   * Notes that looking up this name failed.
   * @returns whether it is the name's own failure: another one was resolved within the last minute **and** after this one
   *   began to fail. Without the latter every name would be blamed for the first minute of an outage of ours, which is
   *   longer than the retries of most deliveries last.
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
