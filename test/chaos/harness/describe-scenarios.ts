import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { playScenario } from '../scenarios/index.js';
import type { Result, Scenario } from '../scenarios/scenario.js';
import { Laboratory } from './laboratory.js';

const SCENARIO_LIMIT_MS = 900_000;

/** Plays scenarios one after the other. @param whenAllArePlayed is given what was counted, unless one of them failed */
export function describeScenarios(
  scenarios: readonly Scenario[],
  whenAllArePlayed: (results: readonly Result[]) => Promise<void> = async () => undefined,
): void {
  describe('with real processes and real signals', () => {
    const results: Result[] = [];
    let laboratory: Laboratory;

    // A service that cannot be had fails here, in CI and elsewhere: a fault that was not shown is no pass.
    beforeAll(async () => {
      laboratory = await Laboratory.open();
    }, SCENARIO_LIMIT_MS);

    afterAll(async () => {
      await laboratory?.close();
      if (results.length === scenarios.length) await whenAllArePlayed(results);
    }, SCENARIO_LIMIT_MS);

    it.each(scenarios)(
      '$fault: $promise',
      async (scenario) => {
        const result = await playScenario(laboratory, scenario);
        results.push(result);
        const { lost, unrecorded, differingBodies, doubleDeliveries, unaudited, oddities } = result;
        expect({ lost, unrecorded, differingBodies, doubleDeliveries, unaudited, oddities }).toEqual({
          lost: 0,
          unrecorded: 0,
          differingBodies: 0,
          doubleDeliveries: 0,
          unaudited: 0,
          oddities: [],
        });
        expect(result.deliveries).toBeGreaterThan(0);
      },
      SCENARIO_LIMIT_MS,
    );
  });
}
