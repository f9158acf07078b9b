// The state as the original shows it at /overlay-master/state, with its names and values.

import { present } from '../cni/fields.ts';
import { formatAddress } from '../ipam/address.ts';
import { formatSubnet, splitSubnet, type Subnet } from '../ipam/subnet.ts';
import { isOpen } from './allocation.ts';
import { encodeNetwork, encodeVtep, type VtepSettings, type WrittenConfiguration } from './configuration.ts';
import type { DocumentAgent, DocumentBridge, DocumentOverlay, DocumentVxlan } from './document-shape.ts';
import type { AgentRecord, Allocation, NetworkRecord } from './records.ts';
import type { NetworkReport } from './registration-wire.ts';
import { VTEP, vtepMac } from './vtep.ts';

/** One of `agents`, with what it has reported of each network. */
export function documentAgent(
	agent: AgentRecord,
	vtep: VtepSettings,
	networks: readonly NetworkRecord[],
	reports: ReadonlyMap<string, NetworkReport>,
): DocumentAgent {
	const backend = { vxlan: documentVxlan(agent, vtep) };
	const overlays = networks
		.filter((record) => agent.networks.has(record.network.name) || isOpen(record))
		.map(({ network }): DocumentOverlay => {
			const allocation = agent.networks.get(network.name);
			const info = encodeNetwork(network);
			if (allocation === undefined)
				return { backend, info, state: { error: 'no subnet of it is free', status: 'STATUS_FAILED' } };
			const { status = 'STATUS_CONFIGURING', error } = reports.get(network.name) ?? {};
			return present({
				backend,
				docker_bridge: documentBridge(`d-${network.name}`, 1, allocation),
				info,
				mesos_bridge: documentBridge(`m-${network.name}`, 0, allocation),
				state: present({ error, status }),
				subnet: allocation.subnet && formatSubnet(allocation.subnet),
				subnet6: allocation.subnet6 && formatSubnet(allocation.subnet6),
			});
		});
	return { ip: agent.ip, overlays };
}

/** `network`, the configuration. */
export function documentNetwork(vtep: VtepSettings, networks: readonly NetworkRecord[]): WrittenConfiguration {
	return { overlays: networks.map(({ network }) => encodeNetwork(network)), ...encodeVtep(vtep) };
}

function documentVxlan({ vtep, vtep6 }: AgentRecord, { subnet, subnet6, macOui, mtu }: VtepSettings): DocumentVxlan {
	const withPrefix = (address: Subnet | undefined, range: Subnet | undefined): string | undefined =>
		address && range && `${formatAddress({ family: address.family, value: address.network })}/${range.prefix}`;
	return present({
		vni: VTEP.vni,
		vtep_ip: withPrefix(vtep, subnet) ?? '',
		vtep_ip6: withPrefix(vtep6, subnet6),
		vtep_mac: vtepMac(macOui, vtep.network),
		vtep_mtu: mtu,
		vtep_name: VTEP.name,
	});
}

function documentBridge(name: string, half: 0 | 1, { subnet, subnet6 }: Allocation): DocumentBridge {
	const text = (whole: Subnet | undefined): string | undefined => {
		const part = whole && splitSubnet(whole)?.[half];
		return part && formatSubnet(part);
	};
	return present({ ip: text(subnet), ip6: text(subnet6), name });
}
