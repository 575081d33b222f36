import type { components, paths } from '../../../../dist/console/api-schema.js';

type Schemas = components['schemas'];

export type Agent = Schemas['AgentAnswer'];
/** Of a webhook; `S3Config` of a sink whose type is S3. */
export type SinkConfig = Schemas['DataSourceConfigBody'];
export type S3Config = Schemas['S3ConfigFields'];
export type S3Keys = Schemas['S3SecretFields'];
export type Sink = Schemas['DataSourceAnswer'];
export type SavedSink = Schemas['SavedDataSourceAnswer'];
export type CreateSink = Schemas['CreateDataSourceBody'];
export type UpdateSink = Schemas['UpdateDataSourceBody'];
export type SinkTest = Schemas['SinkTestAnswer'];
export type Delivery = Schemas['DeliveryAnswer'];
export type DeliveryWithAttempts = Schemas['DeliveryWithAttemptsAnswer'];
export type Attempt = Schemas['AttemptAnswer'];
export type Timings = Schemas['TimingsAnswer'];
export type Recovery = Schemas['RecoveryAnswer'];
export type RecoveryPreview = Schemas['RecoveryPreviewAnswer'];
export type RotateSecret = Schemas['RotateSecretBody'] | S3Keys;

export type AgentStatus = Agent['status'];
export type SinkFormat = Sink['format'];
export type RowField = NonNullable<SinkConfig['includeFields']>[number];
export type AuthScheme = SinkConfig['authScheme'];
export type DeliveryStatus = Delivery['status'];
export type DeliveryReason = NonNullable<Delivery['reason']>;
export type DeliveryTrigger = Delivery['trigger'];
export type AttemptStatus = Attempt['status'];
export type ExchangeStep = NonNullable<SinkTest['failedStep']>;

/** A page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** The paths of the OpenAPI document, relative to the API's mount path. */
export type ApiPaths = {
  [Path in keyof paths as Path extends `/api/v1${infer Rest}` ? Rest : never]: paths[Path];
};
