// Records as tests of the tables want them.
import { type AttachmentRecord, LAYOUT, type NetworkRecord } from '../../src/nat/records.ts';

export const dcos: NetworkRecord = {
	layout: LAYOUT,
	backend: 'nftables',
	network: 'dcos',
	bridge: 'm-dcos',
	subnets: ['9.0.1.0/27'],
	overlays: ['9.0.0.0/8'],
	masquerade: true,
	isolation: 'none',
};

/** A container of the network with the address 9.0.1.2 and nothing else. */
export function attachment(keys: Partial<AttachmentRecord> = {}): AttachmentRecord {
	return {
		containerId: 'c1',
		ifname: 'eth0',
		backend: 'nftables',
		network: 'dcos',
		netns: '/run/netns/c1',
		time: 1_000_000,
		addresses: ['9.0.1.2'],
		gateways: [],
		portMappings: [],
		excludeDevices: [],
		masquerade: false,
		isolation: 'none',
		labels: [],
		...keys,
	};
}
