import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional, ApiResponse } from '@nestjs/swagger';
import { PROBLEM_TYPE_BASE, PROBLEMS, type ProblemCode } from '../../domain/errors.js';
import { PROBLEM_CONTENT_TYPE } from './problem-details.js';

const REQUEST_ID = '5f0c6d1e-8a35-4f6b-9d2a-0f5b3c1d7e42';

export class ViolationAnswer {
  @ApiProperty({ example: '/config/url', description: 'A JSON pointer into the body, or ?name for a query parameter.' })
  pointer!: string;

  @ApiProperty({ example: 'must be an https URL' })
  detail!: string;
}

/** RFC 9457. */
export class ProblemAnswer {
  @ApiProperty({ example: `${PROBLEM_TYPE_BASE}validation-failed` })
  type!: string;

  @ApiProperty({ example: PROBLEMS['validation-failed'].title })
  title!: string;

  @ApiProperty({ example: 422 })
  status!: number;

  @ApiProperty({ example: '/name must not be blank.' })
  detail!: string;

  @ApiPropertyOptional({ type: [ViolationAnswer] })
  errors?: readonly ViolationAnswer[];

  @ApiPropertyOptional({
    example: REQUEST_ID,
    description: 'The `X-Request-Id` of the answer, which our log has too: give it when you ask us.',
  })
  requestId?: string;
}

/** Errors that any request body can cause. */
export const BODY_PROBLEMS = [
  'validation-failed',
  'malformed-json',
  'unsupported-media-type',
  'body-too-large',
] as const satisfies readonly ProblemCode[];

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
} as const;

/** Documents an operation's errors, each with an example; common errors are added automatically. */
export function ApiProblems(...codes: readonly ProblemCode[]): MethodDecorator & ClassDecorator {
  const all: readonly ProblemCode[] = [
    'unauthenticated',
    'insufficient-scope',
    'rate-limited',
    'internal-error',
    'temporarily-unavailable',
    ...codes,
  ];
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set(all))
    byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code]);
  return applyDecorators(
    ...[...byStatus].map(([status, ofStatus]) =>
      ApiResponse({
        status,
        description: ofStatus.map((code) => PROBLEMS[code].title).join(' / '),
        ...(status === 429 && { headers: RETRY_AFTER }),
        content: {
          [PROBLEM_CONTENT_TYPE]: {
            schema: { $ref: '#/components/schemas/ProblemAnswer' },
            examples: Object.fromEntries(ofStatus.map((code) => [code, { value: exampleOf(code) }])),
          },
        },
      }),
    ),
  );
}

function exampleOf(code: ProblemCode): Readonly<Record<string, unknown>> {
  const { status, title } = PROBLEMS[code];
  const errors = code === 'validation-failed' && {
    errors: [{ pointer: '/config/url', detail: 'must be an https URL' }],
  };
  return {
    type: `${PROBLEM_TYPE_BASE}${code}`,
    title,
    status,
    detail: 'What happened here and what to do.',
    ...errors,
    requestId: REQUEST_ID,
  };
}
