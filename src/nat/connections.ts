// Connections that the kernel remembers from before a port of the host led elsewhere.
//
// For a protocol without connections of its own, the next packet of a peer that keeps its port belongs to the same one for
// ever: it goes where the first one went, to a container that is gone. TCP begins a new one.

import { listAllAddresses } from '../netlink/address.ts';
import { forgetTracked, type TrackedFilter } from '../netlink/conntrack.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, openConnection } from '../netlink/socket.ts';
import { familyOf } from '../ip/address.ts';
import { PROTOCOL_NUMBERS } from './kernel-elements.ts';
import { portsOf } from './port-mappings.ts';
import type { AttachmentRecord } from './records.ts';

/**
 * Has the kernel look anew at the packets that come to the host ports of an attachment by UDP and SCTP. Nothing waits past
 * `deadline` (ms of performance.now()). Throws NetlinkError.
 */
export function forgetConnections({ portMappings, addresses }: AttachmentRecord, deadline: number): void {
	const lasting = portMappings.filter(({ protocol }) => protocol !== 'tcp');
	if (lasting.length === 0) return;
	const hostAddresses = addressesOfHost(deadline);
	const filters = lasting.flatMap((mapping): TrackedFilter[] => {
		const protocol = PROTOCOL_NUMBERS[mapping.protocol];
		const reachedBy = mapping.hostIp === undefined ? hostAddresses : [mapping.hostIp];
		return portsOf(mapping).flatMap(([port]) =>
			reachedBy
				.filter((address) => addresses.some((own) => familyOf(own) === familyOf(address)))
				.map((address) => ({ protocol, port, address })),
		);
	});
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		forgetTracked(connection, filters);
	} finally {
		connection.close();
	}
}

function addressesOfHost(deadline: number): string[] {
	const connection = openConnection(NETLINK_ROUTE, deadline);
	try {
		return listAllAddresses(connection).map(({ cidr }) => cidr.slice(0, cidr.indexOf('/')));
	} finally {
		connection.close();
	}
}
