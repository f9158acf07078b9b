// States to try things out on.
import { type Holdings, type Outcome, register } from '../../src/overlay/allocation.ts';
import type { OverlayConfiguration } from '../../src/overlay/configuration.ts';
import { readConfiguration } from '../../src/overlay/configuration-file.ts';
import { openDraft } from '../../src/overlay/draft.ts';
import { followPlan, planReconciliation } from '../../src/overlay/reconciliation.ts';
import { createState, type LiveState } from '../../src/overlay/state.ts';

/** The configuration whose `dcos_overlay_network` has these members, in YAML or JSON. */
export function configurationOf(members: object): OverlayConfiguration {
	return readConfiguration(JSON.stringify({ dcos_overlay_network: members }), 'test.yaml', []);
}

export const documentExample = {
	vtep_subnet: '44.128.0.0/20',
	vtep_mac_oui: '70:B3:D5:00:00:00',
	overlays: [
		{ name: 'dcos', subnet: '9.0.0.0/8', prefix: 26 },
		{ name: 'dcos-1', subnet: '192.168.0.0/16', prefix: 24 },
	],
};

/** A state after the first start with a configuration. */
export function stateOf(members: object): LiveState {
	const state = createState();
	reconcile(state, members);
	return state;
}

/** What a start with a configuration does; gives what was refused. */
export function reconcile(state: LiveState, members: object, { force = false, now = 0 } = {}): readonly string[] {
	const plan = planReconciliation(state, configurationOf(members), force);
	if (plan.refusals.length === 0) followPlan(openDraft(state), plan, now);
	return plan.refusals.map(({ wrong }) => wrong);
}

/** Registers an agent that has nothing, unless told otherwise. */
export function registerOne(state: LiveState, ip: string, held: Holdings = { networks: new Map() }): Outcome {
	return register(openDraft(state), { ip, instance: `instance-of-${ip}`, held });
}
