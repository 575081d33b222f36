/**
 * One thing that a port promises. Runs under any test runner: `for (const { name, run } of checks) test(name, run)`.
 * `run` rejects with an `AssertionError` when the adapter does not keep the promise. No check depends on another.
 */
export interface ConformanceCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Makes what a suite runs against; called anew for every check, and may give the same thing every time. */
export type Make<T> = () => T | Promise<T>;

/** Checks that each get what `make` made. */
export function checksOf<T>(
  make: Make<T>,
  checks: Readonly<Record<string, (made: T) => Promise<void>>>,
): readonly ConformanceCheck[] {
  return Object.entries(checks).map(([name, check]) => ({ name, run: async () => check(await make()) }));
}
