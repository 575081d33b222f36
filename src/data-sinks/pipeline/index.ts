/** The life of one delivery, in the order things happen. */
export { JOB_COMPLETED_EVENT, JobCompletedListener } from './job-completed.listener.js'; // 1
export { DeliveryRecorder } from './delivery-recorder.js'; // 2
export { Wakeup } from '../wakeup/wakeup.js'; // 3
export { DeliveryWorker } from './delivery-worker.js'; // 4
export { DeliveryGate } from './delivery-gate.js'; // 5
export { DeliveryAttempt } from './delivery-attempt.js'; // 5
export { PunctualResults } from './punctual-results.js'; // 5a
export { PushSigner } from './push-signer.js'; // 5b
export { AttemptRecorder } from './attempt-recorder.js'; // 6
export { SettledDeliveries } from './settled-deliveries.js'; // 6
export { SinkPauses } from './sink-pauses.js'; // 6
export { DeliveryParts } from './delivery-parts.js'; // 6
export { AutoDisable } from './auto-disable.js'; // 6
export { DomainEvents } from './domain-events.js';
export { MissedCompletions } from './missed-completions.js'; // 7
export { DeliverySweeper } from './delivery-sweeper.js'; // 7
export { SecretOverlaps } from './secret-overlaps.js'; // 7
export { RecoveryPacer } from './recovery-pacer.js'; // 7
export { Housekeeping } from './housekeeping.js'; // 7
export { Retention } from './retention.js'; // 7
export { type ErasureRequest, PayloadErasure } from './payload-erasure.js';
export { ServerClock } from './server-clock.js';
