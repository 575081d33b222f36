/** Which call of a host's port an error came through. The errors themselves stay what the host threw. */
const CALLS = new WeakMap<object, string>();

/** @param call such as `AgentDirectory.findAgents()` */
export function throughPort(error: unknown, call: string): void {
  if (typeof error === 'object' && error !== null) CALLS.set(error, call);
}

/** @returns null for an error that no port threw */
export function failedPort(error: unknown): string | null {
  return typeof error === 'object' && error !== null ? (CALLS.get(error) ?? null) : null;
}
