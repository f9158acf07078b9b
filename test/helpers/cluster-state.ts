// What a master would say of a cluster.
import type { ClusterState } from '../../src/agent/master/cluster-state.ts';
import type { WireAgent, WireNetwork, WireVteps } from '../../src/overlay/wire.ts';

export const vteps: WireVteps = {
	name: 'vtep1024',
	vni: 1024,
	port: 64_000,
	subnet: '44.128.0.0/20',
	subnet6: 'fd01:a::/64',
};

export const dcos: WireNetwork = {
	name: 'dcos',
	overlay: '9.0.0.0/8',
	prefix: 24,
	overlay6: 'fd01:b::/64',
	prefix6: 80,
	state: 'active',
};

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** The address of an agent on the underlay. */
function underlayOf(nth: number): string {
	return `10.64.${nth >> 8}.${nth & 255}`;
}

/** The nth agent, from 1 on; `vtep` is the number of its VTEP, the same unless it has been given another one. */
export function agent(nth: number, vtep = nth, ip = underlayOf(nth)): WireAgent {
	return {
		ip,
		vtep: {
			ip: `44.128.${vtep >> 8}.${vtep & 255}`,
			ip6: `fd01:a::${vtep.toString(16)}`,
			mac: `70:b3:d5:80:${hex(vtep >> 8)}:${hex(vtep & 255)}`,
		},
		networks: {
			dcos: { subnet: `9.${nth >> 8}.${nth & 255}.0/24`, subnet6: `fd01:b:0:0:${nth.toString(16)}::/80` },
		},
	};
}

/** What a master says of so many agents. */
export function cluster(agents: readonly WireAgent[], networks: readonly WireNetwork[] = [dcos]): ClusterState {
	return { revision: '1', vteps, networks, agents: new Map(agents.map((each) => [each.ip, each])) };
}
