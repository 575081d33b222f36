import { ApiExtraModels, ApiProperty, ApiPropertyOptional, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { PROBLEMS, type ProblemCode } from '../../data-sinks/index.js';
import { HOST_PROBLEMS, type HostProblemCode } from './host-problem.js';

/** One validation error. */
class PlatformProblemFinding {
  @ApiProperty({ description: 'JSON pointer into the body, or `?name` for a query parameter', example: '/name' })
  pointer!: string;

  @ApiProperty({ example: 'must be a string of 1 to 200 characters' })
  detail!: string;
}

/** RFC 9457. Only for the OpenAPI document: the problem filter writes the responses. */
export class PlatformProblem {
  @ApiProperty({ example: 'https://mapping.travel/errors/validation-failed' })
  type!: string;

  @ApiProperty({ example: 'The request is not valid' })
  title!: string;

  @ApiProperty({ example: 422 })
  status!: number;

  @ApiPropertyOptional({ example: 'One field is not valid.' })
  detail?: string;

  @ApiPropertyOptional({ type: [PlatformProblemFinding] })
  errors?: PlatformProblemFinding[];
}

/** Documents one error of an operation, with an example. */
export function ApiProblem(
  status: number,
  code: ProblemCode | HostProblemCode,
  description: string,
  errors?: readonly { readonly pointer: string; readonly detail: string }[],
): MethodDecorator & ClassDecorator {
  const { title } = { ...PROBLEMS, ...HOST_PROBLEMS }[code];
  const example = {
    type: `https://mapping.travel/errors/${code}`,
    title,
    status,
    detail: `${description}.`,
    ...(errors ? { errors } : {}),
  };
  return applyDecorators(
    ApiExtraModels(PlatformProblem),
    ApiResponse({
      status,
      description,
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(PlatformProblem) }, example } },
    }),
  );
}
