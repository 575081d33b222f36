import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { DELIVERY_STATUSES, type DeliveryStatus } from '../../domain/delivery.js';
import { LIST_ORDERS, type ListOrder } from '../../database/page.js';
import { HOST_ID_SCHEMA, IsHostId } from './is-host-id.js';
import { IsTime } from './time.js';

export class ListQuery {
  @ApiPropertyOptional({ type: Number, minimum: 1, maximum: 100, default: 20 })
  @IsOptional()
  @Type(() => Number)
  @Min(1)
  @Max(100)
  @IsInt()
  limit: number = 20;

  @ApiPropertyOptional({ description: 'The nextCursor of the page before.' })
  @IsOptional()
  @MaxLength(200)
  @IsString()
  cursor?: string;
}

export class DeliveriesQuery extends ListQuery {
  @ApiPropertyOptional({
    enum: DELIVERY_STATUSES,
    isArray: true,
    description: 'One or several, repeated or separated by commas.',
  })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => [value].flat().flatMap((part) => String(part).split(',')))
  @IsIn(DELIVERY_STATUSES, { each: true, message: `must be one of ${DELIVERY_STATUSES.join(', ')}` })
  status?: DeliveryStatus[];

  @ApiPropertyOptional({ ...HOST_ID_SCHEMA, example: 'job_01J5Z0000000000000000000AB' })
  @IsOptional()
  @IsHostId()
  jobId?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Made at this time or later.' })
  @IsOptional()
  @IsTime()
  since?: Date;

  @ApiPropertyOptional({
    enum: LIST_ORDERS,
    default: 'newest',
    description: 'Which come first. A cursor goes on in the order that it is used with: keep to one.',
  })
  @IsOptional()
  @IsIn(LIST_ORDERS, { message: `must be one of ${LIST_ORDERS.join(', ')}` })
  order: ListOrder = 'newest';
}
