import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { pushHeaders } from '../../../../src/data-sinks/core/push-headers.js';

it('a push says what it is, which delivery and attempt, and what its body hashes to', () => {
  // The body and the digest that RFC 9530 gives as an example.
  const sha256 = createHash('sha256').update('{"hello": "world"}\n').digest('hex');
  const push = { deliveryId: 'dlv_1', attemptNumber: 3, contentType: 'application/json', sha256, traceparent: null };
  const headers = {
    'Content-Type': 'application/json',
    'X-MT-Delivery-Id': 'dlv_1',
    'X-MT-Attempt': '3',
    'Content-Digest': 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  };
  expect(pushHeaders(push)).toEqual(headers);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(pushHeaders({ ...push, traceparent })).toEqual({ ...headers, traceparent });
});
