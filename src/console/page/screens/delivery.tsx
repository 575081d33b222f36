import { Problem } from '../api/problem.js';
import type { DeliveryWithAttempts, Sink } from '../api/types.js';
import { to } from '../app/router.js';
import { useApi } from '../app/session.js';
import { useResource } from '../app/use-resource.js';
import { AttemptItem } from '../sink/attempt-item.js';
import { DeliveryFacts } from '../sink/delivery-facts.js';
import { Redeliver } from '../sink/redeliver.js';
import { count, partOf } from '../text/format.js';
import { DELIVERY_REASON, DELIVERY_STATUS } from '../text/labels.js';
import { Badge } from '../ui/badge.js';
import { NextAttempt } from '../ui/next-attempt.js';
import { Notice } from '../ui/notice.js';
import { Screen } from '../ui/screen.js';
import { Loaded } from '../ui/states.js';
import { UpgradeCard } from '../ui/upgrade-card.js';

const POLL_MS = 1_500;
const POLL_SETTLED_MS = 10_000;

export function DeliveryScreen({ deliveryId }: { deliveryId: string }) {
  const api = useApi();
  const load = (): Promise<DeliveryWithAttempts> => api.delivery(deliveryId);
  const quick = useResource<DeliveryWithAttempts>(`delivery ${deliveryId}`, load, (delivery) =>
    delivery !== null && delivery.settledAt !== null ? POLL_SETTLED_MS : POLL_MS,
  );
  const { data } = quick;
  const agentId = data?.agentId ?? null;
  const agent = useResource(`agent of ${deliveryId} ${agentId ?? ''}`, () => loadAgent(api, agentId));
  const found = useResource(`sink of ${data?.dataSourceId ?? ''}`, () => loadSink(api, data), POLL_SETTLED_MS);
  const sink = found.data?.sink;
  return (
    <Screen
      title="Delivery"
      crumbs={[
        { text: 'Agents', href: to.agents() },
        ...(data && agentId !== null
          ? [
              { text: agent.data?.name ?? 'Agent', href: to.agent(agentId) },
              { text: sink?.name ?? 'Data source', href: to.sink(agentId, data.dataSourceId) },
            ]
          : []),
      ]}
      beside={data && <Badge label={DELIVERY_STATUS[data.status]} />}
      lead={
        data && (
          <>
            <span class="mono break">{data.jobId}</span>
            {data.part && `, ${partOf(data.part)}`}
          </>
        )
      }
      actions={data && <Redeliver delivery={data} sink={sink} onDone={quick.reload} />}
    >
      <Loaded of={quick} lines={6}>
        {(delivery) => <DeliveryParts delivery={delivery} />}
      </Loaded>
    </Screen>
  );
}

async function loadAgent(api: ReturnType<typeof useApi>, agentId: string | null) {
  return agentId === null ? null : api.agent(agentId);
}

interface FoundSink {
  /** Null for a deleted sink, whose history stays. Undefined until the delivery is loaded. */
  readonly sink: Sink | null | undefined;
}

async function loadSink(api: ReturnType<typeof useApi>, delivery: DeliveryWithAttempts | null): Promise<FoundSink> {
  if (!delivery) return { sink: undefined };
  return api.sink(delivery.agentId, delivery.dataSourceId).then(
    (sink) => ({ sink }),
    (error: unknown) => {
      if (error instanceof Problem && error.status === 404) return { sink: null };
      throw error;
    },
  );
}

function DeliveryParts({ delivery }: { delivery: DeliveryWithAttempts }) {
  const { attempts, attemptCount, status, nextAttemptAt, reason, retriesSpent, retriesAllowed } = delivery;
  return (
    <div class="delivery">
      <section class="stack" aria-labelledby="timeline-title">
        {reason === 'plan_required' ? (
          <UpgradeCard />
        ) : (
          reason && <Notice tone={status === 'FAILED' ? 'bad' : 'info'}>{DELIVERY_REASON[reason]}</Notice>
        )}
        <h2 id="timeline-title">
          Attempts{' '}
          {attemptCount > attempts.length && (
            <span class="quiet small">
              the last {count(attempts.length)} of {count(attemptCount)}
            </span>
          )}
        </h2>
        <ol class="timeline" aria-label="Attempts, newest first">
          {nextAttemptAt !== null && status !== 'IN_FLIGHT' && (
            <li class="attempt attempt-next">
              <div class="attempt-head">
                <NextAttempt at={nextAttemptAt} />
                <span class="quiet">
                  retry {retriesSpent} of {retriesAllowed}
                </span>
              </div>
            </li>
          )}
          {attempts.map((attempt) => (
            <AttemptItem key={attempt.id} attempt={attempt} />
          ))}
        </ol>
        {attemptCount > attempts.length && (
          <p>
            <a href={to.sink(delivery.agentId, delivery.dataSourceId, 'attempts')}>All attempts of this data source</a>
          </p>
        )}
        {attempts.length === 0 && nextAttemptAt === null && <p class="quiet">Nothing was sent.</p>}
      </section>
      <DeliveryFacts delivery={delivery} />
    </div>
  );
}
