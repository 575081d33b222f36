/**
 * A partial implementation of a class for a test. Everything else is undefined.
 * @example new Retention(session, stub({ payloadRetentionMs: 1 }))
 */
export function stub<T>(part: Partial<NoInfer<T>>): T {
  return part as T;
}
