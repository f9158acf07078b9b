// Decides what to tell of a new state of the cluster.

import type { WireNetwork } from '../../overlay/wire.ts';
import type { ClusterState } from './cluster-state.ts';
import type { LogLine } from '../log.ts';

/** What is new for the host: whether it was removed, and each network that came, changed or went. Of a first state, nothing. */
export function newsOfState(before: ClusterState | undefined, after: ClusterState, ip: string): LogLine[] {
	if (before === undefined) return [];
	const isRemoved = before.agents.has(ip) && !after.agents.has(ip);
	return [
		...(isRemoved ? [{ level: 'warn', event: 'agent removed' } as const] : []),
		...(before.networks === after.networks ? [] : newsOfNetworks(before.networks, after.networks)),
	];
}

function newsOfNetworks(before: readonly WireNetwork[], after: readonly WireNetwork[]): LogLine[] {
	const known = new Map(before.map((network) => [network.name, JSON.stringify(network)]));
	const names = new Set(after.map(({ name }) => name));
	const changed = after.filter((network) => known.get(network.name) !== JSON.stringify(network));
	const removed = before.filter(({ name }) => !names.has(name));
	return [...changed, ...removed.map(({ name }) => ({ name, state: 'removed' }))].map((network): LogLine => ({
		level: 'info',
		event: 'network changed',
		details: { ...network },
	}));
}
