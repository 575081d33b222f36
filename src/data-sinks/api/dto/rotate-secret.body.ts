import { ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { IsInt, IsString, Length, Max, Min } from 'class-validator';
import { DEFAULT_OVERLAP_SECONDS, MAX_OVERLAP_SECONDS } from '../../domain/rotation-overlap.js';
import { IfDefined } from './optional-field.js';
import { IsStorable } from './stored-text.js';

/** Of a webhook; a type of several named values has those in the place of `value`. */
export class RotateSecretBody {
  @ApiPropertyOptional({
    writeOnly: true,
    example: '<32 random bytes, kept by you>',
    description:
      'The secret that comes into force. May be left out for HmacSha256: then one is made and shown once, in this answer.',
    maxLength: 4096,
  })
  @IfDefined()
  @Length(1, 4096)
  @IsStorable()
  @IsString()
  value?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: MAX_OVERLAP_SECONDS,
    example: DEFAULT_OVERLAP_SECONDS,
    description:
      'For so long pushes are signed with the old secret too; a day when it is left out. 0 ends the old one at once, as after ' +
      'a leak. For Bearer and Basic it is 0; S3 has none.',
  })
  @IfDefined()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  @IsInt()
  overlapSeconds?: number;
}

/** What every type has. */
export class OverlapFields extends PickType(RotateSecretBody, ['overlapSeconds']) {}
