import { createHash } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { pushHeaders } from '../../../../src/data-sinks/core/push-headers.js';

it('a push says what it is, which delivery and attempt, and what its body hashes to', () => {
  // The body and the digest that RFC 9530 gives as an example.
  const sha256 = createHash('sha256').update('{"hello": "world"}\n').digest('hex');
  expect(pushHeaders({ deliveryId: 'dlv_1', attemptNumber: 3, contentType: 'application/json', sha256 })).toEqual({
    'Content-Type': 'application/json',
    'X-MT-Delivery-Id': 'dlv_1',
    'X-MT-Attempt': '3',
    'Content-Digest': 'sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:',
  });
});
