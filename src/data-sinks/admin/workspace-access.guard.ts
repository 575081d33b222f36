import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  type CustomDecorator,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ProblemError } from '../core/errors.js';
import { PORT_WITHIN_MS, within } from '../pipeline/within.js';
import { type Caller, type Scope, WorkspaceAccess } from '../ports/workspace-access.js';
import { RequestLimit } from './request-limit.js';

const REQUIRED_SCOPE = 'data-sinks:required-scope';
const CALLER = Symbol('data-sinks caller');

/** What a token must be allowed to use an endpoint. An endpoint without one cannot be used at all. */
export function RequireScope(scope: Scope): CustomDecorator {
  return SetMetadata(REQUIRED_SCOPE, scope);
}

interface HttpRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ip?: string;
  [CALLER]?: RequestCaller;
}

/** Who calls, and from where, for the audit trail. */
export type RequestCaller = Caller & { readonly ip: string | null };

/** Asks the host's `WorkspaceAccess` who calls, and checks how often and the scope. */
@Injectable()
export class WorkspaceAccessGuard implements CanActivate {
  constructor(
    private readonly access: WorkspaceAccess,
    private readonly reflector: Reflector,
    private readonly requestLimit: RequestLimit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const ip = request.ip ?? null;
    const asked = this.access.authenticate({ headers: request.headers, ip, raw: request });
    const caller = await within(asked, PORT_WITHIN_MS, 'the access');
    if (!caller) throw new ProblemError('unauthenticated', 'Send a valid token as "Authorization: Bearer …".');
    this.requestLimit.use(caller);
    const scope = this.reflector.getAllAndOverride<Scope | undefined>(REQUIRED_SCOPE, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (scope === undefined || !caller.scopes.has(scope)) {
      throw new ProblemError('insufficient-scope', `This token lacks the scope ${scope ?? 'for this endpoint'}.`);
    }
    request[CALLER] = { ...caller, ip };
    return true;
  }
}

/** The caller that the guard let in, as a parameter. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): RequestCaller => {
  const caller = context.switchToHttp().getRequest<HttpRequest>()[CALLER];
  if (!caller) throw new Error('CurrentCaller needs WorkspaceAccessGuard');
  return caller;
});
