import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IfGiven } from './given.js';
import { IsTime } from './time.js';

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
