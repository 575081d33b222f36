export const SCOPES = ['data-sinks:read', 'data-sinks:write', 'data-sinks:push'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who calls the API. */
export interface Caller {
  /** The workspace whose agents the caller may see. */
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly scopes: ReadonlySet<Scope>;
}

/** For the audit trail. */
export interface Actor {
  /** Such as `token`, `user` or `agent`. */
  readonly type: string;
  readonly id: string;
}

/** The parts of a request that an adapter may judge by; the same under Express and Fastify. */
export interface AccessRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ip: string | null;
  /** The framework's own request, for hosts whose guard or session has already put the user there. */
  readonly raw: unknown;
}

/** Decides who a request comes from. */
export abstract class WorkspaceAccess {
  /**
   * @returns the caller, or null when the token is missing, unknown or revoked (answered with 401)
   */
  abstract authenticate(request: AccessRequest): Promise<Caller | null>;
}
