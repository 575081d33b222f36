/** State of a delivery that has just arrived. */
export type DeliveryClaim = 'new' | 'under-way' | 'done';

/**
 * Remembers deliveries, because pushes arrive at least once: a push whose 2xx was lost is sent again with the same
 * delivery id. With several servers, use shared storage: a table with a unique key, or Redis.
 */
export interface SeenDeliveries {
  /** Claims the delivery for the caller. Of several concurrent callers, exactly one gets `new`. */
  claim(deliveryId: string): Promise<DeliveryClaim>;
  /** The claimed work has succeeded. */
  complete(deliveryId: string): Promise<void>;
  /** The claimed work failed; the next attempt gets `new` again. */
  release(deliveryId: string): Promise<void>;
}

/**
 * Does the work once per delivery. Respond with 2xx on `done` and `repeated`, and with 503 on `under-way`: the first
 * attempt may still fail, and the sender will retry.
 * @throws what the work throws; the delivery can then be claimed again
 */
export async function oncePerDelivery(
  seen: SeenDeliveries,
  deliveryId: string,
  work: () => Promise<void>,
): Promise<'done' | 'repeated' | 'under-way'> {
  const claim = await seen.claim(deliveryId);
  if (claim !== 'new') return claim === 'done' ? 'repeated' : 'under-way';
  try {
    await work();
  } catch (error) {
    await seen.release(deliveryId);
    throw error;
  }
  await seen.complete(deliveryId);
  return 'done';
}
