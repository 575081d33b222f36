import type { Delivery } from '../api/types.js';
import { to } from '../app/router.js';
import { counted, partOf, size } from '../text/format.js';
import { DELIVERY_STATUS, DELIVERY_TRIGGER } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { NextAttempt } from '../ui/next-attempt.js';
import { Ago } from '../ui/time.js';

/** A table on wide screens, else one card per delivery: the same cells, laid out by CSS. */
export function DeliveryList({ deliveries }: { deliveries: readonly Delivery[] }) {
  return (
    <div class="card table-card">
      <table class="table" role="table">
        <caption class="visually-hidden">Deliveries, newest first</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader" scope="col">
              Status
            </th>
            <th role="columnheader" scope="col">
              Job
            </th>
            <th role="columnheader" scope="col">
              Attempts
            </th>
            <th role="columnheader" scope="col">
              Sent
            </th>
            <th role="columnheader" scope="col">
              Made
            </th>
          </tr>
        </thead>
        <tbody role="rowgroup">
          {deliveries.map((delivery) => (
            <DeliveryRow key={delivery.id} delivery={delivery} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DeliveryRow({ delivery }: { delivery: Delivery }) {
  const { status, jobId, part, trigger, attemptCount, payload, createdAt, nextAttemptAt } = delivery;
  return (
    <tr role="row">
      <td role="cell">
        <Badge label={DELIVERY_STATUS[status]} />
        {status === 'RETRYING' && nextAttemptAt !== null && (
          <span class="small quiet block">
            <NextAttempt at={nextAttemptAt} />
          </span>
        )}
      </td>
      <td role="cell">
        <a class="mono row-target" href={to.delivery(delivery.id)}>
          {jobId}
        </a>
        <span class="small quiet block">
          {DELIVERY_TRIGGER[trigger]}
          {part && `, ${partOf(part)}`}
        </span>
      </td>
      <td role="cell" class="nowrap">
        {counted(attemptCount, 'attempt')}
      </td>
      <td role="cell" class="nowrap">
        {payload === null ? (
          <span class="quiet">not made yet</span>
        ) : (
          `${counted(payload.rows, 'row')}, ${size(payload.bytes)}`
        )}
      </td>
      <td role="cell" class="nowrap">
        <Ago at={createdAt} />
      </td>
    </tr>
  );
}
