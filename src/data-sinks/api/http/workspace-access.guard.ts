import {
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  SetMetadata,
  type CustomDecorator,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Outages } from '../../telemetry/outages.js';
import { ProblemError } from '../../domain/errors.js';
import { type RequestCaller, type Scope, WorkspaceAccess } from '../../ports/workspace-access.js';
import { RequestLimit } from './request-limit.js';

const REQUIRED_SCOPE = 'data-sinks:required-scope';
const CALLER = Symbol('data-sinks caller');

/** The scope that a token needs for an endpoint. An endpoint without one cannot be called. */
export function RequireScope(scope: Scope): CustomDecorator {
  return SetMetadata(REQUIRED_SCOPE, scope);
}

interface HttpRequest {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly ip?: string;
  [CALLER]?: RequestCaller;
}

/** Authenticates the caller with the host's `WorkspaceAccess` and checks the rate limit and the scope. */
@Injectable()
export class WorkspaceAccessGuard implements CanActivate {
  constructor(
    private readonly access: WorkspaceAccess,
    private readonly reflector: Reflector,
    private readonly requestLimit: RequestLimit,
    private readonly outages: Outages,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const ip = request.ip ?? null;
    const askedAt = performance.now();
    const caller = await this.access.authenticate({ headers: request.headers, ip, raw: request });
    const outage = this.outages.of('api');
    if (outage.open?.kind === 'port') outage.over('', askedAt);
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

/** Parameter decorator for the authenticated caller. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): RequestCaller => {
  const caller = context.switchToHttp().getRequest<HttpRequest>()[CALLER];
  if (!caller) throw new Error('CurrentCaller needs WorkspaceAccessGuard');
  return caller;
});
