import { describe, expect, it } from '@jest/globals';
import {
  acceptTraceContext,
  formatTraceparent,
  parseTraceparent,
} from '../../../../src/data-sinks/domain/trace-context.js';

// The example of the specification.
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe('a traceparent', () => {
  it.each([
    ['sampled', TRACEPARENT, 1],
    ['not sampled', `00-${TRACE_ID}-${SPAN_ID}-00`, 0],
    ['with flags that are not known', `00-${TRACE_ID}-${SPAN_ID}-ff`, 1],
    ['of a later version', `cc-${TRACE_ID}-${SPAN_ID}-01`, 1],
    ['of a later version, with more', `cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`, 1],
  ])('%s is parsed', (_what, text, traceFlags) => {
    expect(parseTraceparent(text)).toEqual({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags });
  });

  it.each([
    ['nothing', undefined],
    ['no text', { traceparent: TRACEPARENT }],
    ['an empty text', ''],
    ['capitals', TRACEPARENT.toUpperCase()],
    ['a version that is forbidden', `ff-${TRACE_ID}-${SPAN_ID}-01`],
    ['version 00 with more', `${TRACEPARENT}-more`],
    ['a later version with more, but no dash', `cc-${TRACE_ID}-${SPAN_ID}-01.more`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['a span id of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['a trace id that is too short', `00-${TRACE_ID.slice(1)}-${SPAN_ID}-01`],
    ['flags that are too short', TRACEPARENT.slice(0, -1)],
    ['white space around it', ` ${TRACEPARENT}`],
    ['a line break after it', `${TRACEPARENT}\n`],
    ['two of them', `${TRACEPARENT},${TRACEPARENT}`],
    ['endless text', `cc-${TRACE_ID}-${SPAN_ID}-01-${'x'.repeat(10_000)}`],
  ])('that is %s is refused', (_what, text) => {
    expect(parseTraceparent(text)).toBeNull();
  });

  it('is formatted as version 00 with only the sampled flag', () => {
    expect(formatTraceparent({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1 })).toBe(TRACEPARENT);
    expect(formatTraceparent({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 254 })).toBe(
      `00-${TRACE_ID}-${SPAN_ID}-00`,
    );
  });
});

describe('a trace context from outside', () => {
  it('keeps its tracestate', () => {
    const given = { traceparent: TRACEPARENT, tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' };
    expect(acceptTraceContext({ ...given, more: 'is left out' })).toEqual(given);
  });

  it.each([undefined, null, 7, 'a\nb', 'a\u0000', 'ü=1', '', 'x'.repeat(513)])(
    'loses a state like %j alone',
    (tracestate) => {
      expect(acceptTraceContext({ traceparent: TRACEPARENT, tracestate })).toEqual({ traceparent: TRACEPARENT });
    },
  );

  it.each([undefined, null, 'text', TRACEPARENT, 7, [], {}, { traceparent: 'rubbish', tracestate: 'a=b' }])(
    'like %j is none',
    (given) => {
      expect(acceptTraceContext(given)).toBeNull();
    },
  );
});
