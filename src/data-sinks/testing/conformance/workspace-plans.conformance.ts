import assert from 'node:assert/strict';
import type { WorkspacePlans } from '../../ports/workspace-plans.js';
import { checksOf, type ConformanceCheck, type Make } from './conformance-check.js';

export interface WorkspacePlansFixture {
  readonly plans: WorkspacePlans;
  /** Plan by workspace, for existing workspaces: at least two, with different plans. */
  readonly expected: ReadonlyMap<string, string>;
  /** Returns `count` different ids of workspaces that do not exist. */
  readonly unknownIds: (count: number) => readonly string[];
}

/** Conformance checks for a host's `WorkspacePlans`. */
export function workspacePlansConformance(makeFixture: Make<WorkspacePlansFixture>): readonly ConformanceCheck[] {
  return checksOf(makeFixture, {
    'is given workspaces with different plans to find': async ({ expected }) => {
      assert.ok(new Set(expected.values()).size >= 2);
    },
    'finds the plans of several workspaces in one call': async ({ plans, expected }) => {
      await finds(plans, [...expected.keys()], expected);
    },
    'answers nothing that was not asked': async ({ plans, expected }) => {
      for (const [id, plan] of expected) await finds(plans, [id], new Map([[id, plan]]));
    },
    'leaves out a workspace that does not exist': async ({ plans, expected, unknownIds }) => {
      await finds(plans, [...unknownIds(1), ...expected.keys()], expected);
      await finds(plans, unknownIds(1), new Map());
    },
    'answers an empty question with an empty map': async ({ plans }) => {
      await finds(plans, [], new Map());
    },
    'takes 256 ids in one call': async ({ plans, expected, unknownIds }) => {
      await finds(plans, [...expected.keys(), ...unknownIds(256 - expected.size)], expected);
    },
  });
}

async function finds(
  plans: WorkspacePlans,
  asked: readonly string[],
  expected: ReadonlyMap<string, string>,
): Promise<void> {
  const found = await plans.findPlans(asked);
  assert.equal(typeof found.get, 'function', 'the answer is a Map');
  assert.deepEqual(new Map(found), new Map(expected));
}
