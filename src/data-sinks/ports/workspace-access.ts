export const SCOPES = ['data-sinks:read', 'data-sinks:write', 'data-sinks:push'] as const;
export type Scope = (typeof SCOPES)[number];

/** The caller of the API. */
export interface Caller {
  /** The workspace whose agents the caller may access. */
  readonly workspaceId: string;
  readonly actor: Actor;
  readonly scopes: ReadonlySet<Scope>;
  /**
   * The agents of the workspace that the caller may access; the others do not exist for it, in lists too.
   * @default undefined: all of them
   */
  readonly agentIds?: ReadonlySet<string> | undefined;
}

/** The caller and its origin, for the audit trail. */
export type RequestCaller = Caller & { readonly ip: string | null };

/** For the audit trail. */
export interface Actor {
  /** E.g. `token`, `user` or `agent`. */
  readonly type: string;
  readonly id: string;
}

/** The parts of a request that an adapter may use; the same under Express and Fastify. */
export interface AccessRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly ip: string | null;
  /** The framework's request, for hosts whose guard or session has already identified the user. */
  readonly raw: unknown;
}

/** Authenticates requests. */
export abstract class WorkspaceAccess {
  /**
   * @returns the caller, or null when the token is missing, unknown or revoked (answered with 401)
   */
  abstract authenticate(request: AccessRequest): Promise<Caller | null>;
}
