/** The headers of every push, whatever the scheme (contract, section 6). `Content-Length` is the client's. */
export function pushHeaders(push: {
  readonly deliveryId: string;
  readonly attemptNumber: number;
  readonly contentType: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** For sinks that ask for it, where there is a trace. */
  readonly traceparent: string | null;
}): Readonly<Record<string, string>> {
  return {
    'Content-Type': push.contentType,
    'X-MT-Delivery-Id': push.deliveryId,
    'X-MT-Attempt': String(push.attemptNumber),
    'Content-Digest': `sha-256=:${Buffer.from(push.sha256, 'hex').toString('base64')}:`,
    ...(push.traceparent !== null && { traceparent: push.traceparent }),
  };
}
