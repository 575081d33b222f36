import { describe, expect, it } from '@jest/globals';
import { readFormsAsJson } from '../../../../src/reference-host/http/lenient-json.js';

describe('a body without a JSON content type', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'application/json'],
    ['application/x-www-form-urlencoded', 'application/json'],
    ['Application/X-WWW-Form-Urlencoded; charset=utf-8', 'application/json'],
    ['application/json; charset=utf-8', 'application/json; charset=utf-8'],
    ['application/x-ndjson', 'application/x-ndjson'],
    ['text/plain', 'text/plain'],
  ])('declared as %s is read as %s', (given, read) => {
    const request = { headers: given === undefined ? {} : { 'content-type': given } };
    let passedOn = 0;
    readFormsAsJson(request, undefined, () => passedOn++);
    expect(request.headers).toEqual({ 'content-type': read });
    expect(passedOn).toBe(1);
  });
});
