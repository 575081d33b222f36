/** What is known of a delivery that has just arrived. */
export type DeliveryClaim = 'new' | 'under-way' | 'done';

/**
 * Remembers deliveries, because pushes come at least once: a push whose 2xx was lost on the way comes again, with the
 * same delivery id. With several servers, keep it where all of them look: a table with a unique key, or Redis.
 */
export interface SeenDeliveries {
  /** Claims the delivery for this caller. Of any number of callers at once, one is told `new`. */
  claim(deliveryId: string): Promise<DeliveryClaim>;
  /** The claimed work is done, for good. */
  complete(deliveryId: string): Promise<void>;
  /** The claimed work failed: the next attempt shall be `new` again. */
  release(deliveryId: string): Promise<void>;
}

/**
 * Does the work once per delivery. Answer 2xx on `done` and `repeated`, and 503 on `under-way`: the first attempt may
 * still fail, and the sender will try again.
 * @throws what the work throws; the delivery is then open for the next attempt
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
