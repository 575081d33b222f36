import { ApiProperty } from '@nestjs/swagger';
import { DataSourceAnswer } from './data-source.answer.js';
import { AttemptAnswer, DeliveryAnswer } from './delivery.answer.js';
import { RecoveryAnswer } from './recovery.answer.js';

/** Of lists with filters. */
export const PAGES_MAY_BE_SHORT =
  'A page looks at 20,000 entries at most. With filters that match few of them it may have fewer items than `limit`, or ' +
  'none, and a `nextCursor` nevertheless: only a `nextCursor` of null says that the list has ended.';

class ListAnswerBase {
  @ApiProperty({ type: String, nullable: true, example: null, description: 'For ?cursor=; null on the last page.' })
  nextCursor!: string | null;
}

export class DataSourceListAnswer extends ListAnswerBase {
  @ApiProperty({ type: [DataSourceAnswer] })
  items!: readonly DataSourceAnswer[];
}

export class DeliveryListAnswer extends ListAnswerBase {
  @ApiProperty({ type: [DeliveryAnswer] })
  items!: readonly DeliveryAnswer[];
}

export class AttemptListAnswer extends ListAnswerBase {
  @ApiProperty({ type: [AttemptAnswer] })
  items!: readonly AttemptAnswer[];
}

export class RecoveryListAnswer extends ListAnswerBase {
  @ApiProperty({ type: [RecoveryAnswer] })
  items!: readonly RecoveryAnswer[];
}
