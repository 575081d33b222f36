/** Input for authenticating one attempt. */
export interface SigningInput {
  readonly deliveryId: string;
  /** Seconds since 1970, new for every attempt. */
  readonly timestamp: number;
  readonly secret: string;
  /** The previous secret during a rotation's overlap; only signature schemes can send two. */
  readonly previousSecret: string | null;
  readonly username: string | null;
}

/** An HMAC-SHA256 to compute over the body. */
export interface BodyMac {
  readonly key: string | Uint8Array;
  /** Hashed before the body. */
  readonly prefix: string;
}

/** How a push authenticates itself (contract, section 6). */
export interface SignatureScheme {
  /** Whether the headers depend on the body. If not, the body need not be read. */
  readonly readsBody: boolean;
  /** Whether a push can carry two secrets at once. Signatures can; there is only one `Authorization` header. */
  readonly overlaps: boolean;
  /** The HMACs that `headers` needs; none if the headers do not depend on the body. */
  macs(input: SigningInput): readonly BodyMac[];
  /** @param digests the results of `macs`, in the same order */
  headers(input: SigningInput, digests: readonly Buffer[]): Readonly<Record<string, string>>;
  /** Why this scheme cannot use a secret, or null. */
  secretProblem(secret: string, username: string | null): string | null;
  /** Why a valid secret is weak, or null. */
  secretWarning(secret: string): string | null;
}
