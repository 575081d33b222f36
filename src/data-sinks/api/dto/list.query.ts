import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateBy } from 'class-validator';
import {
  ATTEMPT_ERROR_CODES,
  ATTEMPT_STATUSES,
  type AttemptErrorCode,
  type AttemptStatus,
} from '../../domain/attempt.js';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../domain/delivery.js';
import { isId } from '../../domain/ids.js';
import { LIST_ORDERS, type ListOrder } from '../../database/page.js';
import { HOST_ID_SCHEMA, IsHostId } from './is-host-id.js';
import { oneOf } from './optional-field.js';
import { IsTime } from './time.js';

/** Digits alone: `Number` would read `0x10` and `1e2` too. */
const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,8})$/;

/** A whole number in a query. */
function IsCount(): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && WHOLE_NUMBER.test(value) ? Number(value) : value,
  );
  const check = IsInt({ message: 'must be a whole number in digits' });
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}

/** One or several of some words, repeated or separated by commas. */
function AreAmong(words: readonly string[]): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    [value].flat().flatMap((part) => (typeof part === 'string' ? part.split(',') : [part])),
  );
  const check = IsIn(words, { each: true, ...oneOf(words) });
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}

function IsSinkId(): PropertyDecorator {
  return ValidateBy({
    name: 'isSinkId',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && isId('dataSource', value),
      defaultMessage: () => 'must be the id of a data source, such as ads_01J5Z0000000000000000000AB',
    },
  });
}

const SEVERAL = { isArray: true, description: 'One or several, repeated or separated by commas.' } as const;
const TIME = { type: String, format: 'date-time' } as const;

export class ListQuery {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 20 })
  @IsOptional()
  @Min(1)
  @Max(100)
  @IsCount()
  limit: number = 20;

  @ApiPropertyOptional({ description: 'The nextCursor of the page before.' })
  @IsOptional()
  @MaxLength(200)
  @IsString()
  cursor?: string;
}

/** Filters of what was and will be sent. */
class HistoryQuery extends ListQuery {
  @ApiPropertyOptional({ ...HOST_ID_SCHEMA, example: 'job_01J5Z0000000000000000000AB' })
  @IsOptional()
  @IsHostId()
  jobId?: string;

  @ApiPropertyOptional({
    enum: ATTEMPT_ERROR_CODES,
    description: 'What went wrong (docs/errors.md); of a delivery, the `lastErrorCode`.',
  })
  @IsOptional()
  @IsIn(ATTEMPT_ERROR_CODES, oneOf(ATTEMPT_ERROR_CODES))
  errorCode?: AttemptErrorCode;

  @ApiPropertyOptional({ ...TIME, description: 'Made at this time or later.' })
  @IsOptional()
  @IsTime()
  since?: Date;

  @ApiPropertyOptional({ ...TIME, description: 'Made before this time.' })
  @IsOptional()
  @IsTime()
  until?: Date;

  @ApiPropertyOptional({
    enum: LIST_ORDERS,
    default: 'newest',
    description: 'Which come first. A cursor goes on in the order that it is used with: keep to one.',
  })
  @IsOptional()
  @IsIn(LIST_ORDERS, oneOf(LIST_ORDERS))
  order: ListOrder = 'newest';
}

export class DeliveriesQuery extends HistoryQuery {
  @ApiPropertyOptional({ enum: DELIVERY_STATUSES, ...SEVERAL })
  @IsOptional()
  @AreAmong(DELIVERY_STATUSES)
  status?: DeliveryStatus[];
}

export class WorkspaceDeliveriesQuery extends DeliveriesQuery {
  @ApiPropertyOptional({ type: String, example: 'ads_01J5Z0000000000000000000AB', description: 'Of this data source.' })
  @IsOptional()
  @IsSinkId()
  sinkId?: string;
}

export class SyncsQuery extends HistoryQuery {
  @ApiPropertyOptional({ enum: ATTEMPT_STATUSES, ...SEVERAL })
  @IsOptional()
  @AreAmong(ATTEMPT_STATUSES)
  status?: AttemptStatus[];
}
