import { useState } from 'preact/hooks';
import type { Sink, SinkTest } from '../api/types.js';
import { ANSWER_ENDING } from '../text/labels.js';
import { snippets } from '../text/snippets.js';
import { Code } from '../ui/code.js';
import { isS3, webhookOf } from './s3-sink.js';

/** The request, how to verify it, and the response. */
export function TestExchange({ sink, test }: { sink: Sink; test: SinkTest }) {
  return (
    <div class="exchange">
      <section class="card pad stack" aria-labelledby="sent-title">
        <h2 id="sent-title">What was sent</h2>
        <p class="mono small break">
          {test.sent.method} {test.sent.url}
        </p>
        <Headers headers={Object.entries(test.sent.headers)} what="Headers that were sent" />
        <h3>Body</h3>
        <Code text={test.sent.body} what="the body that was sent" />
      </section>
      <section class="card pad stack" aria-labelledby="received-title">
        <h2 id="received-title">What came back</h2>
        <Received test={test} />
      </section>
      {!isS3(sink) && <Verification sink={sink} test={test} />}
    </div>
  );
}

function Received({ test: { received } }: { test: SinkTest }) {
  if (!received) return <p class="quiet">Nothing.</p>;
  const ending = ANSWER_ENDING[received.ending];
  return (
    <>
      <p class="mono small">HTTP {received.httpStatus}</p>
      <Headers
        headers={received.headers.map(([name = '', value = '']) => [name, value])}
        what="Headers that came back"
      />
      <h3>Body</h3>
      {received.excerpt === '' ? (
        <p class="quiet">Empty.</p>
      ) : (
        <Code text={received.excerpt} what="the body that came back" />
      )}
      {ending && <p class="small quiet">{ending}</p>}
    </>
  );
}

function Headers({ headers, what }: { headers: readonly (readonly [string, string])[]; what: string }) {
  return (
    <div class="headers" tabIndex={0} role="region" aria-label={what}>
      <table>
        <caption class="visually-hidden">{what}</caption>
        <tbody>
          {headers.map(([name, value], index) => (
            <tr key={index}>
              <th scope="row">{name}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Verification({ sink, test }: { sink: Sink; test: SinkTest }) {
  const all = snippets(webhookOf(sink).authScheme, test);
  const [chosen, setChosen] = useState(0);
  const shown = all[chosen] ?? all[0];
  return (
    <section class="card pad stack exchange-wide" aria-labelledby="verify-title">
      <div class="section-head">
        <h2 id="verify-title">Check it at your endpoint</h2>
        <div class="segments" role="group" aria-label="Language">
          {all.map(({ name }, index) => (
            <button key={name} type="button" aria-pressed={index === chosen} onClick={() => setChosen(index)}>
              {name}
            </button>
          ))}
        </div>
      </div>
      {shown && (
        <>
          <p class="quiet">{shown.says}</p>
          <Code text={shown.text} what={`the check for ${shown.name}`} />
        </>
      )}
    </section>
  );
}
