import type { DemoWorkspace } from './seed.js';

/** Printed by a first start: a tour to paste step by step into a second terminal. */
export function welcome(url: string, { workspaceId, agentId, token }: DemoWorkspace): string {
  return `
A demo workspace on Pro Max is ready: ${workspaceId}, agent ${agentId} (a draft).
Its token is shown this once; keep it:

  export TOKEN='${token}'
  export AGENT='${url}/api/v1/agents/${agentId}'

By clicking: open ${url}/console and sign in with the token.
The same story by command, in another terminal:

  # 0. a receiver to push to: it prints its URL; this host must be started with ALLOW_PRIVATE_ENDPOINTS=127.0.0.0/8
  npx data-sinks listen --port 4000 --secret 'a-secret-of-at-least-32-characters'

  # 1. create the sink
  curl -s "$AGENT/data-sources" -H "Authorization: Bearer $TOKEN" -d '{ "role": "RESULTS_SINK", "type": "HTTPS_WEBHOOK",
    "name": "My endpoint", "config": { "url": "http://127.0.0.1:4000/", "authScheme": "HmacSha256" },
    "secret": { "value": "a-secret-of-at-least-32-characters" }, "format": "JSON" }'
  export SINK=ads_…   # the id in the answer

  # 2. test it: a synthetic, signed payload
  curl -s -X POST "$AGENT/data-sources/$SINK/test" -H "Authorization: Bearer $TOKEN"

  # 3. switch the push on
  curl -s "$AGENT/rule-sets" -H "Authorization: Bearer $TOKEN" \\
    -d '{ "data_sinks": { "auto_push_on_job_complete": true, "retry_failed_push": 2 } }'

  # 4. activate the agent
  curl -s -X POST "$AGENT/activate" -H "Authorization: Bearer $TOKEN"

  # 5. finish a job: its results are pushed
  curl -s "$AGENT/mapping-jobs" -H "Authorization: Bearer $TOKEN" -d '{ "results": [
    { "partnerRowId": "row_1", "referenceHotelId": "ref_1", "matchMethod": "STANDARD", "matchConfidence": null },
    { "partnerRowId": "row_2" } ] }'

  # 6. what was sent, with every attempt
  curl -s "$AGENT/data-sources/$SINK/deliveries" -H "Authorization: Bearer $TOKEN"
`;
}
