import { WorkspaceAccess, type AccessRequest, type Caller } from '../../ports/workspace-access.js';

const BEARER = /^Bearer +([^\s]+)$/i;

/** Accepts a fixed set of bearer tokens: for tests and for trying out the module. */
export class StaticTokenAccess extends WorkspaceAccess {
  private readonly callers: ReadonlyMap<string, Caller>;

  /** @param callers caller by token */
  constructor(callers: Readonly<Record<string, Caller>>) {
    super();
    this.callers = new Map(Object.entries(callers));
  }

  override async authenticate({ headers }: AccessRequest): Promise<Caller | null> {
    const { authorization } = headers;
    const token = typeof authorization === 'string' ? BEARER.exec(authorization)?.[1] : undefined;
    return (token !== undefined && this.callers.get(token)) || null;
  }
}
