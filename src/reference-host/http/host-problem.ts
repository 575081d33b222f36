import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';

/** Errors of the host alone; all others are the module's `ProblemError`, so that all responses have the same form. */
export const HOST_PROBLEMS = {
  'job-exists': { status: 409, title: 'A job of this id has finished already' },
} as const;

export type HostProblemCode = keyof typeof HOST_PROBLEMS;

export class HostProblem extends Error {
  override readonly name = 'HostProblem';

  constructor(
    readonly code: HostProblemCode,
    readonly detail: string,
  ) {
    super(`${code}: ${detail}`);
  }
}

@Catch(HostProblem)
export class HostProblemFilter implements ExceptionFilter<HostProblem> {
  catch({ code, detail }: HostProblem, host: ArgumentsHost): void {
    const { status, title } = HOST_PROBLEMS[code];
    const body = { type: `https://mapping.travel/errors/${code}`, title, status, detail };
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(status)
      .type('application/problem+json')
      .send(JSON.stringify(body));
  }
}
