/** The receiver kit: verify and read the pushes of this platform. Needs only Node; see `docs/receiving.md`. */
export { checkAuthorization } from './authorization.js';
export type { ExpectedAuthorization } from './authorization.js';
export { MemorySeenDeliveries } from './memory-seen-deliveries.js';
export type { MemorySeenDeliveriesOptions } from './memory-seen-deliveries.js';
export { CsvScanner } from './csv-scanner.js';
export { JsonLinesScanner } from './json-lines-scanner.js';
export { parsePush, PayloadReader } from './payload-reader.js';
export type { PayloadReaderOptions } from './payload-reader.js';
export { PayloadScanner } from './payload-scanner.js';
export { factsIn, pushContent } from './push-content.js';
export type { PushContent, PushFormat } from './push-content.js';
export type { PushHeaders } from './push-headers.js';
export { PUSH_VERIFICATION_ERRORS, PushVerificationError } from './push-verification-error.js';
export type { PushProblem, PushVerificationErrorCode } from './push-verification-error.js';
export { createPushVerifier, DEFAULT_TOLERANCE_SECONDS } from './push-verifier.js';
export type { PushProof, PushSecrets, PushVerifier, PushVerifierOptions, VerificationRules } from './push-verifier.js';
export { PushVerifierStream } from './push-verifier-stream.js';
export { PayloadError } from './results-push.js';
export type {
  MappingResultRow,
  PayloadErrorCode,
  PushFacts,
  PushPart,
  PushStats,
  ResultsPush,
} from './results-push.js';
export type { RowScanner, RowScannerOptions } from './row-scanner.js';
export { oncePerDelivery } from './seen-deliveries.js';
export type { DeliveryClaim, SeenDeliveries } from './seen-deliveries.js';
export type { SignatureForm } from './signature-claim.js';
export { verifyPush } from './verify-push.js';
export type { VerifyPushOptions } from './verify-push.js';
export { answerRefusal, expressPush } from './http/express-push.js';
export type { ExpressMiddleware } from './http/express-push.js';
export { fastifyPush } from './http/fastify-push.js';
export type { FastifyScope } from './http/fastify-push.js';
export { pushGuard, VerifiedPush } from './http/nest-push.js';
export type { HttpExecutionContext, PushGuard } from './http/nest-push.js';
export { pushOf, receivePush } from './http/received-push.js';
export type { PushRequest } from './http/raw-body.js';
export type { ReceivedPush, ReceiveOptions, SecretSource } from './http/received-push.js';
