import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { IsDate } from 'class-validator';
import { IfGiven } from './given.js';

/** RFC 3339; what `Date` makes of other texts, and of numbers, is seldom what was meant. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/i;

function IsTime(): PropertyDecorator {
  const read = Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && TIME.test(value) ? new Date(value) : value,
  );
  const check = IsDate({ message: 'must be a time such as 2026-05-25T12:34:56Z' });
  return (target, property) => {
    read(target, property);
    check(target, property);
  };
}

const DATE_TIME = { type: String, format: 'date-time' } as const;

/** Which failures: the body that begins a recovery, and the query that asks what it would find. */
export class RecoverBody {
  @ApiProperty({
    ...DATE_TIME,
    example: '2026-05-25T12:34:56Z',
    description: 'Deliveries that ended FAILED at this time or later. At most the option `recoverWithinMs` back.',
  })
  @IsTime()
  since!: Date;

  @ApiPropertyOptional({
    ...DATE_TIME,
    example: '2026-05-25T18:00:00Z',
    description: 'And before this time. Left out, or in the future: the time of the request.',
  })
  @IfGiven()
  @IsTime()
  until?: Date;
}
