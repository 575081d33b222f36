import { applyDecorators, Controller } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiTags } from '@nestjs/swagger';
import { DataSourceConfigBody } from '../dto/data-source-config.body.js';
import { SecretBody, UpdateDataSourceConfigBody } from '../dto/data-source.body.js';
import { ProblemAnswer } from './api-problems.js';

/** Common decorators of our controllers. Guards are set where they are mounted. */
export function AdminController(path: string, tag: string): ClassDecorator {
  return applyDecorators(
    Controller(path),
    ApiTags(tag),
    ApiBearerAuth(),
    ApiExtraModels(ProblemAnswer, DataSourceConfigBody, UpdateDataSourceConfigBody, SecretBody),
  );
}
