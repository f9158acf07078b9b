// What a master says of a cluster of many agents, for the group `agent`.

import { BuildError } from '../build/run.ts';
import { type ClusterState, stateOfSnapshot } from '../src/agent/master/cluster-state.ts';
import type { Wanted } from '../src/agent/kernel/host-state.ts';
import { wishOf } from '../src/agent/wanted.ts';
import type { WireAgent } from '../src/overlay/wire.ts';

export const AGENTS = 10_000;
export const SELF = '10.64.0.1';
export const VTEP = 'vtep1024';

/** So many agents, of which {@link SELF} is the first. */
export function stateOf(count: number): ClusterState {
	return stateOfSnapshot({
		revision: '1',
		vteps: { name: VTEP, vni: 1024, port: 64_000, subnet: '44.128.0.0/16', subnet6: 'fd01:a::/64' },
		networks: [
			{ name: 'dcos', overlay: '9.0.0.0/8', prefix: 24, overlay6: 'fd01:b::/64', prefix6: 80, state: 'active' },
		],
		agents: Array.from({ length: count }, (_, at) => agent(at + 1)),
	});
}

/** The nth of them, from 1 on; `vtep` is the number of its VTEP. */
export function agent(nth: number, vtep = nth): WireAgent {
	const dotted = (number: number): string => `${number >> 8}.${number & 255}`;
	const mac = vtep.toString(16).padStart(4, '0');
	return {
		ip: `10.64.${dotted(nth)}`,
		vtep: {
			ip: `44.128.${dotted(vtep)}`,
			ip6: `fd01:a::${vtep.toString(16)}`,
			mac: `70:b3:d5:80:${mac.slice(0, 2)}:${mac.slice(2)}`,
		},
		networks: { dcos: { subnet: `9.${dotted(nth)}.0/24`, subnet6: `fd01:b:0:0:${nth.toString(16)}::/80` } },
	};
}

/** What {@link SELF} should have then. */
export function wish(state: ClusterState): Wanted {
	const found = wishOf(state, { ip: SELF, underlayMtu: 1500 });
	if (found === undefined || found.problems.length > 0) {
		throw new BuildError('computing what is wanted: it cannot be');
	}
	return found.wanted;
}
