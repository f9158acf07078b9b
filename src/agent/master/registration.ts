// What an agent tells the master of itself.

import { present } from '../../cni/fields.ts';
import type { NetworkReport, RegistrationReport } from '../../overlay/registration-wire.ts';
import type { ClusterState } from './cluster-state.ts';
import type { NetworkStatus } from '../status/network-status.ts';

/** A report: what the agent has, how it fares with that, and how many containers are on it. */
export function reportOf(
	instance: string,
	ip: string,
	state: ClusterState | undefined,
	statuses: ReadonlyMap<string, NetworkStatus>,
	containers: ReadonlyMap<string, number>,
): RegistrationReport {
	const self = state?.agents.get(ip);
	if (self === undefined) return { instance, networks: {} };
	const networks = Object.entries(self.networks).map(([name, { subnet, subnet6 }]): [string, NetworkReport] => {
		const { status, error } = statuses.get(name) ?? { status: 'STATUS_CONFIGURING' };
		return [name, present({ subnet, subnet6, status, error, containers: containers.get(name) })];
	});
	const { ip: vtep, ip6 } = self.vtep;
	return { instance, vtep: present({ ip: vtep, ip6 }), networks: Object.fromEntries(networks) };
}
