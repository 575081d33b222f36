/**
 * One requirement of a port. Works with any test runner: `for (const { name, run } of checks) test(name, run)`. `run`
 * rejects with an `AssertionError` if the adapter violates it. Checks are independent of each other.
 */
export interface ConformanceCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Creates the fixture of a suite. Called for every check; may return the same object each time. */
export type Make<T> = () => T | Promise<T>;

/** Creates checks that each receive a fixture from `make`. */
export function checksOf<T>(
  make: Make<T>,
  checks: Readonly<Record<string, (made: T) => Promise<void>>>,
): readonly ConformanceCheck[] {
  return Object.entries(checks).map(([name, check]) => ({ name, run: async () => check(await make()) }));
}
