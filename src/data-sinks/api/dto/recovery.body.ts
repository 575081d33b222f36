import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IfDefined } from './optional-field.js';
import { IsTime } from './time.js';

const DATE_TIME = { type: String, format: 'date-time' } as const;

/** The period of a recovery: body of the request that starts it, and query of the preview. */
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
  @IfDefined()
  @IsTime()
  until?: Date;
}
