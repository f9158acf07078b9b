// What is to be done when the configuration file and the stored state disagree.

import { registerAll } from './allocation.ts';
import type { OverlayConfiguration, VtepSettings } from './configuration.ts';
import { findConflicts, findHostsWithin, type Refusal, subnetsOf, vtepSubnetsOf } from './conflicts.ts';
import { compareNetworks, compareVteps, type Difference } from './difference.ts';
import type { Draft } from './draft.ts';
import type { NetworkRecord } from './records.ts';
import { removeNetwork } from './release.ts';
import { describeRemoval, forgetRemoval, staysAway } from './request-removal.ts';
import type { OverlayState } from './state.ts';

/** One step, and the sentence that tells it. */
export type Action =
	| { readonly kind: 'set VTEPs'; readonly vtep: VtepSettings; readonly text: string }
	| { readonly kind: 'set network'; readonly record: NetworkRecord; readonly text: string }
	| { readonly kind: 'remove network'; readonly name: string; readonly text: string }
	| { readonly kind: 'forget removal'; readonly name: string; readonly text: string };

export interface Plan {
	readonly actions: readonly Action[];
	/** If there are any, nothing is to be done. */
	readonly refusals: readonly Refusal[];
}

/** Also says which networks of the file are not followed, in a sentence each. */
interface FilePlan extends Plan {
	readonly leftOut: readonly { readonly name: string; readonly text: string }[];
}

/**
 * Compares a state with a configuration. A network that the file does not name is drained, or with `force` removed at once;
 * one that was requested while the master was running stays, and one that was removed so stays away as long as the file says
 * of it what it said then. What agents hold is never changed: where it would have to be, the plan is a refusal. Followed, the
 * plan for the same configuration is empty.
 */
export function planReconciliation(state: OverlayState, file: OverlayConfiguration, force: boolean): FilePlan {
	const leftOut = file.networks.filter((network) => staysAway(state, network));
	const wanted = { ...file, networks: file.networks.filter((network) => !leftOut.includes(network)) };
	const names = new Set(wanted.networks.map(({ name }) => name));
	const unnamed = [...state.networks.values()].filter(({ network }) => !names.has(network.name));
	const removals = unnamed.flatMap((record) => planRemoval(record, force));
	const removed = new Set(removals.flatMap((action) => (action.kind === 'remove network' ? [action.name] : [])));
	const staying = unnamed.filter(({ network }) => !removed.has(network.name));
	const changes = [
		planVteps(state, wanted.vtep),
		...wanted.networks.map((network) =>
			planNetwork(state, { network, origin: 'file', position: file.networks.indexOf(network) }),
		),
		{ actions: [], refusals: findConflicts(wanted, staying) },
	];
	return {
		actions: [
			...removals,
			...changes.flatMap(({ actions }) => actions),
			...planForgetting(state, new Set(file.networks.map(({ name }) => name))),
		],
		refusals: changes.flatMap(({ refusals }) => refusals),
		leftOut: leftOut.map(({ name }) => ({ name, text: describeRemoval(state, name) })),
	};
}

/** Follows a plan in which nothing is refused; agents get what they lack then. */
export function followPlan(draft: Draft, { actions }: Plan, now: number): void {
	for (const action of actions) {
		switch (action.kind) {
			case 'set VTEPs':
				draft.put({ kind: 'vtep', key: '', value: action.vtep });
				break;
			case 'set network':
				draft.put({ kind: 'network', key: action.record.network.name, value: action.record });
				forgetRemoval(draft, action.record.network.name);
				break;
			case 'remove network':
				removeNetwork(draft, action.name, now);
				break;
			case 'forget removal':
				forgetRemoval(draft, action.name);
				break;
		}
	}
	if (actions.length > 0) registerAll(draft);
}

/** What was removed by a request, and is gone from the file, too. */
function planForgetting({ removed }: OverlayState, named: ReadonlySet<string>): Action[] {
	return [...removed.keys()]
		.filter((name) => !named.has(name))
		.map((name) => ({
			kind: 'forget removal',
			name,
			text: `the network "${name}", removed by a request, is not in the file any more`,
		}));
}

function planVteps(state: OverlayState, vtep: VtepSettings): Plan {
	const { vtep: before, agents } = state;
	const set = (text: string): Plan => {
		const hosts = findHostsWithin(state, 'the VTEPs', vtepSubnetsOf(vtep), before && vtepSubnetsOf(before));
		return hosts.length > 0 ? refuse(hosts) : { actions: [{ kind: 'set VTEPs', vtep, text }], refusals: [] };
	};
	if (before === undefined) return set('the VTEPs are set up');
	const differences = compareVteps(before, vtep);
	const text = `the VTEPs: ${describe(differences)}`;
	if (differences.every(({ fits }) => fits) || agents.size === 0) {
		return differences.length === 0 ? NOTHING : set(text);
	}
	const wrong = `${text}, and ${count(agents.size)} a VTEP, whose address or MAC would be another`;
	const advice = `all traffic between them would stop. Put the old value back; to begin anew, remove all agents first`;
	return refuse([{ wrong, advice }]);
}

/** What is to be done so that there is a network, and it is as it is wanted. */
export function planNetwork(state: OverlayState, wanted: Omit<NetworkRecord, 'phase'>): Plan {
	const { network, origin, position } = wanted;
	const { name } = network;
	const record: NetworkRecord = { ...wanted, phase: 'active' };
	const set = (text: string): Plan => ({ actions: [{ kind: 'set network', record, text }], refusals: [] });
	const before = state.networks.get(name);
	const hosts = findHostsWithin(
		state,
		`the network "${name}"`,
		subnetsOf(network),
		before && subnetsOf(before.network),
	);
	if (before === undefined) return hosts.length > 0 ? refuse(hosts) : set(`the network "${name}" is added`);

	const differences = compareNetworks(before.network, network);
	const holders = countHolders(state, name);
	if (differences.some(({ fits }) => !fits) && holders > 0) {
		const wrong = `the network "${name}": ${describe(differences)}, and ${count(holders)} subnets of the old one`;
		const advice =
			`their containers would lose their addresses. Put the old value back; or take "${name}" out of the file and start: ` +
			'it is drained, and gone when no container is left on it (at once with --force); then add it again';
		return refuse([{ wrong, advice }]);
	}
	if (hosts.length > 0) return refuse(hosts);
	if (differences.length > 0) return set(`the network "${name}": ${describe(differences)}`);
	if (before.phase === 'draining') return set(`the network "${name}" stays: it is wanted again`);
	const isSame = before.origin === origin && before.position === position;
	return isSame ? NOTHING : set(`the network "${name}" has another place in the file`);
}

function refuse(refusals: readonly Refusal[]): Plan {
	return { actions: [], refusals };
}

const NOTHING: Plan = { actions: [], refusals: [] };

function planRemoval(record: NetworkRecord, force: boolean): Action[] {
	const { network, origin, phase } = record;
	const { name } = network;
	if (phase === 'active' && origin === 'request') return [];
	if (force) return [{ kind: 'remove network', name, text: `the network "${name}" is removed` }];
	if (phase === 'draining') return [];
	const text = `the network "${name}" is drained: it goes when no container is left on it`;
	return [{ kind: 'set network', record: { ...record, phase: 'draining' }, text }];
}

/** How many agents have something of a network. */
export function countHolders({ agents }: OverlayState, network: string): number {
	return [...agents.values()].filter(({ networks }) => networks.has(network)).length;
}

function describe(differences: readonly Difference[]): string {
	return differences.map(({ what }) => what).join(', ');
}

function count(agents: number): string {
	return agents === 1 ? '1 agent has' : `${agents} agents have`;
}
