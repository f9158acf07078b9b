// What GET /overlay-agent/overlay shows: the host's part of the networks, with the original's names and values.

import { present } from '../../cni/fields.ts';
import { decodeNetwork } from '../../overlay/configuration.ts';
import type { DocumentAgent } from '../../overlay/document-shape.ts';
import { documentAgent } from '../../overlay/document-state.ts';
import type { AgentRecord, Allocation, NetworkRecord } from '../../overlay/records.ts';
import { addressBlock, subnetOf } from '../../overlay/subnet-text.ts';
import type { WireAgent, WireNetwork } from '../../overlay/wire.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import type { NetworkStatus } from './network-status.ts';

/** As the original: how often the agent has registered since it was last well comes with it. */
export interface OverlayDocument extends DocumentAgent {
	readonly configuration_attempts: number;
}

/** The document of a host; without a part of the networks, its list is empty. */
export function overlayDocument(
	state: ClusterState | undefined,
	ip: string,
	statuses: ReadonlyMap<string, NetworkStatus>,
	attempts: number,
): OverlayDocument {
	const self = state?.agents.get(ip);
	if (state === undefined || self === undefined) return { ip, configuration_attempts: attempts, overlays: [] };
	const { subnet, subnet6, mtu } = state.vteps;
	const vtep = present({
		subnet: subnetOf(subnet),
		subnet6: subnet6 === undefined ? undefined : subnetOf(subnet6),
		macOui: `${self.vtep.mac.slice(0, 8)}:00:00:00`,
		mtu,
	});
	const { overlays } = documentAgent(recordOfAgent(self), vtep, state.networks.map(recordOfNetwork), statuses);
	return { ip, configuration_attempts: attempts, overlays };
}

function recordOfAgent({ ip, vtep, networks }: WireAgent): AgentRecord {
	const read = (text: string | undefined) => (text === undefined ? undefined : subnetOf(text));
	const allocations = Object.entries(networks).map(([name, { subnet, subnet6 }]): [string, Allocation] => [
		name,
		present({ subnet: read(subnet), subnet6: read(subnet6) }),
	]);
	return present({
		ip,
		instance: '',
		vtep: addressBlock(vtep.ip),
		vtep6: vtep.ip6 === undefined ? undefined : addressBlock(vtep.ip6),
		networks: new Map(allocations),
	});
}

function recordOfNetwork(wire: WireNetwork, position: number): NetworkRecord {
	const { name, overlay, prefix, overlay6, prefix6, enabled, state } = wire;
	const written = present({ name, subnet: overlay, prefix, subnet6: overlay6, prefix6, enabled });
	const phase = state === 'draining' ? state : 'active';
	return { network: decodeNetwork(written), origin: 'file', phase, position };
}
