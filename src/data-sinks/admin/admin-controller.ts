import { applyDecorators, Controller, UseFilters, UseGuards, UsePipes } from '@nestjs/common';
import { ApiBearerAuth, ApiExtraModels, ApiTags } from '@nestjs/swagger';
import { ProblemAnswer } from './api-problems.js';
import { ProblemFilter } from './problem.filter.js';
import { RequestValidationPipe } from './request-validation.pipe.js';
import { WorkspaceAccessGuard } from './workspace-access.guard.js';

/** What all our controllers have: the guard, the validation and the form of errors, for them alone and not the host's. */
export function AdminController(path: string, tag: string): ClassDecorator {
  return applyDecorators(
    Controller(path),
    UseGuards(WorkspaceAccessGuard),
    UsePipes(RequestValidationPipe),
    UseFilters(ProblemFilter),
    ApiTags(tag),
    ApiBearerAuth(),
    ApiExtraModels(ProblemAnswer),
  );
}
